"""A release is a person's act: it refuses kindly, and its tool is pinned and kept apart."""

from __future__ import annotations

import json
import os
import re
import subprocess

from tests.kit.node import ROOT, node, node_path

UPLOAD = ROOT / ".ci/upload"
# What WeChat lets a mini-program do only after the console declares it; of its list those that
# could ever come in question here.
PRIVATE = re.compile(
    r"\b(chooseAvatar|getPhoneNumber|chooseImage|chooseMedia|chooseMessageFile|chooseAddress"
    r"|getLocation|getFuzzyLocation|chooseLocation|choosePoi|onLocationChange|startLocationUpdate"
    r"|saveImageToPhotosAlbum|saveVideoToPhotosAlbum|addPhoneContact|addPhoneCalendar"
    r"|setClipboardData|getClipboardData|getWeRunData|getRecorderManager|startRecord|scanBluetooth"
    r"|openBluetoothAdapter|createCameraContext|onAccelerometerChange|onGyroscopeChange"
    r"|onCompassChange|getUserProfile|getUserInfo)\b|type=\"(nickname)\""
)


def test_what_is_packed_and_what_a_release_needs() -> None:
    run = node("--test", "--test-reporter=dot", "tests/miniprogram/checks/pack.test.mjs")
    assert run.returncode == 0, run.stdout + run.stderr


def test_an_upload_without_settings_says_all_that_is_missing() -> None:
    bare = {key: value for key, value in os.environ.items() if not key.startswith("KEPU_")}
    run = subprocess.run(
        [node_path(), ".ci/upload/upload.mjs"],
        cwd=ROOT,
        env=bare | {"CI": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 2
    assert run.stdout == ""
    said = run.stderr.splitlines()
    assert said[0] == "Nothing was uploaded. What is missing:"
    named = [line.split(":")[0].strip().split()[0] for line in said[1:]]
    wanted = ["KEPU_UPLOAD_APPID", "KEPU_UPLOAD_KEY_FILE", "KEPU_UPLOAD_SERVER", "CI"]
    assert named[:4] == wanted


def test_wechats_tool_is_pinned_and_no_registry_is_named() -> None:
    package = json.loads((UPLOAD / "package.json").read_text())
    assert package["dependencies"] == {"miniprogram-ci": "2.1.42"}
    lock = json.loads((UPLOAD / "package-lock.json").read_text())
    entries = {name: facts for name, facts in lock["packages"].items() if name}
    assert entries["node_modules/miniprogram-ci"]["version"] == "2.1.42"
    assert [name for name, facts in entries.items() if "resolved" in facts] == []
    assert [name for name, facts in entries.items() if "integrity" not in facts] == []


def test_no_test_and_no_pipeline_needs_wechats_tool() -> None:
    top = json.loads((ROOT / "package.json").read_text())
    named = {**top.get("dependencies", {}), **top.get("devDependencies", {})}
    assert "miniprogram-ci" not in named
    assert "upload" not in (ROOT / ".ci/run").read_text()


def test_the_declarations_of_privacy_are_those_of_what_the_pages_use() -> None:
    sources = [
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "miniprogram").rglob("*"))
        if path.suffix in (".ts", ".wxml")
    ]
    used = {one or other for text in sources for one, other in PRIVATE.findall(text)}
    guide = (ROOT / "docs/release.md").read_text(encoding="utf-8")
    declared = set(re.findall(r"^\| `([a-z]\w+)` \|", guide, re.MULTILINE))
    assert used == declared


def test_every_setting_of_an_upload_is_in_the_guide() -> None:
    guide = (ROOT / "docs/release.md").read_text(encoding="utf-8")
    asked = set(re.findall(r"KEPU_UPLOAD_\w+", (UPLOAD / "wishes.mjs").read_text()))
    assert asked == set(re.findall(r"KEPU_UPLOAD_\w+", guide))


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def needed(name: str, typings: str) -> list[str]:
    """The base library that WeChat's typings name for a function of wx."""
    declared = rf"{name}[<(]"
    docs = [text.rsplit("/**", 1)[1] for text in re.split(rf"\*/\s*{declared}", typings)[:-1]]
    return [found for doc in docs for found in re.findall(r"需要基础库：\s*`([\d.]+)`", doc)]


def test_the_least_base_library_is_the_highest_that_anything_needs() -> None:
    guide = (ROOT / "docs/release.md").read_text(encoding="utf-8")
    section = guide.split("## Minimum base library")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| ([\d.]+) \|$", section, re.MULTILINE)
    said = re.search(r"\*\*([\d.]+)\*\*", section)
    assert said is not None
    assert version(said[1]) == max(version(number) for _, number in rows)
    project = json.loads((ROOT / "miniprogram/project.config.json").read_text())
    assert project["libVersion"] == said[1]
    types = ROOT / "node_modules/miniprogram-api-typings/types/wx/lib.wx.api.d.ts"
    typings = types.read_text(encoding="utf-8")
    calls = re.findall(r"\bwx\.(\w+)\(", (ROOT / "miniprogram/platform/wx.ts").read_text())
    wants = {name: needed(name, typings) for name in calls}
    assert wants["openPrivacyContract"] == ["2.32.3"]
    over = {
        name for name, found in wants.items() if any(version(n) > version(said[1]) for n in found)
    }
    assert over == set()
