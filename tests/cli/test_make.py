"""What `make run` tells before anything is installed, and how it starts the demo."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from server.base.settings import ROOT


def make(*words: str, at: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KEPU_", "PYTHON", "MAKE"))}
    return subprocess.run(
        ["make", *words], cwd=at, env={**kept, **more}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_an_old_python_is_named_with_what_to_do(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    old.chmod(0o755)
    told = make("settings", f"PYTHON={old}")
    assert told.returncode != 0
    assert "Python 3.11 or newer is needed" in told.stdout
    assert "Python 3.9.2" in told.stdout
    assert "make run PYTHON=python3.12" in told.stdout


@pytest.mark.parametrize("without_bytecode", [False, True])
@pytest.mark.parametrize(
    ("target", "words"),
    [("run", "-m server demo"), ("prove", "bin/pytest"), ("bench", "-m tests.bench")],
)
def test_programs_write_bytecode_somewhere_also_where_python_is_told_not_to(
    target: str, words: str, without_bytecode: bool
) -> None:
    more = {"PYTHONDONTWRITEBYTECODE": "1"} if without_bytecode else {}
    told = make("-n", target, **more).stdout.splitlines()
    (start,) = [line for line in told if words in line]
    assert ("env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX=" in start) == without_bytecode


def a_clone(folder: Path) -> Path:
    """What `make` needs of a fresh clone to fetch its packages."""
    for name in ("Makefile", "requirements.txt", "package.json", "package-lock.json", ".npmrc"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def installed(folder: Path, *stamps: str) -> None:
    for stamp in stamps:
        path = folder / stamp
        path.parent.mkdir(exist_ok=True)
        path.touch()


NO_NETWORK = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_FIND_LINKS": "",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_NO_CACHE_DIR": "1",
    "npm_config_registry": "http://127.0.0.1:9/",
}
SENTENCE = "The first start needs the internet, later ones do not"


def test_a_first_start_without_a_network_ends_soon_with_a_plain_sentence(tmp_path: Path) -> None:
    folder = a_clone(tmp_path)
    told = make(".venv/.ready", at=folder, **NO_NETWORK)
    assert told.returncode != 0
    assert told.stdout.startswith("1/4 Python packages: once")
    assert SENTENCE in told.stdout.splitlines()[-1]
    assert not (folder / ".venv/.ready").exists()


def test_node_packages_without_a_network_end_soon_with_the_same_sentence(tmp_path: Path) -> None:
    folder = a_clone(tmp_path)
    installed(folder, ".venv/.ready", ".venv/.node")
    cache = {"npm_config_cache": str(tmp_path / "cache")}
    told = make("node_modules/.phone", at=folder, **NO_NETWORK, **cache)
    assert told.returncode != 0
    assert told.stdout.startswith("2/4 Node packages: once")
    assert SENTENCE in told.stdout.splitlines()[-1]


def test_a_later_start_tells_that_the_packages_are_there(tmp_path: Path) -> None:
    folder = a_clone(tmp_path)
    assert make("told-python", "told-node", at=folder).stdout == ""
    installed(folder, ".venv/.ready", "node_modules/.phone")
    told = make("told-python", "told-node", at=folder).stdout
    assert told == "1/4 Python packages: there already\n2/4 Node packages: there already\n"
    later = (folder / ".venv/.ready").stat().st_mtime + 10
    os.utime(folder / "requirements.txt", (later, later))
    assert make("told-python", "told-node", at=folder).stdout.startswith("2/4 ")


def test_what_is_there_is_told_in_the_order_of_the_steps() -> None:
    lines = make("-n", "run").stdout.splitlines()
    places = [
        next(at for at, line in enumerate(lines) if words in line)
        for words in ("server.base.settings_reader", "1/4 Python", "2/4 Node", "-m server demo")
    ]
    assert places == sorted(places)
