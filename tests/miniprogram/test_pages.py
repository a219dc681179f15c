"""Every page of the mini-program that a message, a card or a code opens is there."""

from __future__ import annotations

import json
import re

from tests.kit.node import ROOT

PAGE = re.compile(r"\b(?:pages|packages)(?:/[a-z][a-z0-9_-]*)+/[a-z][a-z0-9_-]*\b")
SPEAKERS = ("server/**/*.py", "server/**/*.toml", "server/**/*.json", "config/**/*")
# The emulator speaks of any mini-program, and its own pages lie in a folder of that name.
APART = "server/emulator/"


def pages() -> set[str]:
    app = json.loads((ROOT / "miniprogram/app.json").read_text(encoding="utf-8"))
    inside = {f"{part['root']}/{page}" for part in app["subPackages"] for page in part["pages"]}
    return set(app["pages"]) | inside


def named_elsewhere() -> dict[str, set[str]]:
    """Every page that the server or the settings name, with the files that do."""
    found: dict[str, set[str]] = {}
    for path in {path for pattern in SPEAKERS for path in ROOT.glob(pattern)}:
        name = str(path.relative_to(ROOT))
        apart = name.startswith(APART) or "__pycache__" in path.parts or path.suffix == ".png"
        if apart or not path.is_file():
            continue
        for page in PAGE.findall(path.read_text(encoding="utf-8")):
            found.setdefault(page, set()).add(name)
    return found


def test_every_page_that_the_server_and_the_settings_name_is_in_app_json() -> None:
    named = named_elsewhere()
    assert "packages/quiz/round/index" in named
    known = pages()
    assert {page: files for page, files in named.items() if page not in known} == {}


PLAIN_ROLE = re.compile(r"(?<![\w-])role=")


def test_roles_are_written_as_wechat_reads_them() -> None:
    templates = list((ROOT / "miniprogram").rglob("*.wxml"))
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in templates}
    assert any("aria-role=" in text for text in texts.values())
    assert [name for name, text in texts.items() if PLAIN_ROLE.search(text)] == []
