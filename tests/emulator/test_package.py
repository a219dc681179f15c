"""The emulator as another team gets it: a wheel without this product, used as documented."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "server" / "emulator"
DOCUMENT = ROOT / "docs" / "emulator.md"
BUILT = ("__pycache__", "build", "*.egg-info")


def run(*arguments: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KEPU_", "PYTEST_", "PYTHON"))}
    environment = {**kept, "PYTHONDONTWRITEBYTECODE": "1"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # Built from a copy: setuptools writes into the folder that it builds.
    shutil.copytree(SOURCE, folder / "source", ignore=shutil.ignore_patterns(*BUILT))
    built = run(
        *("pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"),
        *("--no-build-isolation", "--wheel-dir", str(folder), str(folder / "source")),
        cwd=folder,
    )
    assert built.returncode == 0, built.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    target = wheel.parent / "installed"
    put = run(
        *("pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"),
        *("--target", str(target), str(wheel)),
        cwd=wheel.parent,
    )
    assert put.returncode == 0, put.stderr
    return target


@pytest.mark.slow
def test_the_wheel_holds_every_file_that_the_program_reads(wheel: Path) -> None:
    assert wheel.name.startswith("bagui_wechat_emulator-")
    with zipfile.ZipFile(wheel) as packed:
        names = {name.removeprefix("wechat_emulator/") for name in packed.namelist()}
    present = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    left_out = {"pyproject.toml", "README.md"}
    assert present - names == left_out


@pytest.mark.slow
def test_a_flask_app_is_tested_as_the_document_says(installed: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    application, ten_lines = blocks
    assert len([line for line in ten_lines.splitlines() if line.strip()]) <= 10
    (tmp_path / "bot.py").write_text(application, encoding="utf-8")
    (tmp_path / "test_bot.py").write_text(ten_lines, encoding="utf-8")
    (tmp_path / "test_alone.py").write_text(
        "import importlib.util\n\n\ndef test_the_product_is_not_here():\n"
        '    assert importlib.util.find_spec("server") is None\n',
        encoding="utf-8",
    )
    ran = run("pytest", "-q", "-p", "no:randomly", cwd=tmp_path, path=installed)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout
    # The same test sees an application that does not answer.
    (tmp_path / "bot.py").write_text(
        application.replace("return crypto.encrypt_message(", 'return "success"  # ('),
        encoding="utf-8",
    )
    ran = run("pytest", "-q", "test_bot.py", cwd=tmp_path, path=installed)
    assert (ran.returncode, "1 failed" in ran.stdout) == (1, True), ran.stdout


@pytest.mark.slow
def test_the_installed_program_serves_its_pages_and_tells_its_name(
    installed: Path, tmp_path: Path
) -> None:
    shown = run("wechat_emulator", "--help", cwd=tmp_path, path=installed)
    assert shown.stdout.startswith("usage: python -m wechat_emulator")
    script = (
        "from wechat_emulator.testing import emulated_wechat\n"
        "from urllib.request import urlopen\n"
        "with emulated_wechat() as wechat:\n"
        "    for path in ('/', '/phone/', '/phone/phone.js'):\n"
        "        assert urlopen(wechat.base + path).status == 200\n"
        "    assert len(wechat.world.templates) == 3\n"
    )
    (tmp_path / "pages.py").write_text(script, encoding="utf-8")
    ran = run("pages", cwd=tmp_path, path=installed)
    assert ran.returncode == 0, ran.stderr


def test_what_it_needs_is_what_it_imports() -> None:
    declared = tomllib.loads((SOURCE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needs = {re.split(r"[<>=]", need)[0].lower() for need in declared["dependencies"]}
    found = {
        name
        for path in SOURCE.glob("*.py")
        for name in re.findall(r"^(?:from|import) (\w+)", path.read_text("utf-8"), re.MULTILINE)
    }
    foreign = {name for name in found if name not in sys.stdlib_module_names}
    distributions = {name: name for name in needs} | {"PIL": "pillow"}
    # Werkzeug is Flask's own server; pytest is there where the plugin is loaded.
    assert {distributions[name] for name in foreign - {"werkzeug", "pytest"}} == needs
