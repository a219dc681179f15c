"""Styles and scripts: long kept under names that change, for the oldest browsers of the offices."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from server.base.uow import UnitOfWorkFactory
from server.console.assets import BUILT, LIBRARIES, OWN, Assets, missing_libraries
from tests.kit.console import Browser, console_app
from tests.kit.console_browser import built_libraries
from tests.kit.paths import ROOT

# Not known to Chrome 86 or Firefox 78. What esbuild lowers in libraries it does not lower in our
# own files, so both are searched.
TOO_NEW_IN_STYLES = re.compile(
    r":has\(|:is\(|:where\(|color-mix|oklch|oklab|\blch\(|light-dark|@layer|@container|@scope"
    r"|@starting-style|(?<![-\w])(?:aspect-ratio|accent-color|inset):|\d[ds]v[hw]\b|&\s*[.:{]|field-sizing"
    r"|text-wrap:\s*balance"
)
TOO_NEW_IN_SCRIPTS = re.compile(
    r"\?\?=|\|\|=|&&=|\bstructuredClone\(|\.replaceAll\(|\.at\(-|\bObject\.hasOwn\(|\.findLast\("
    r"|Promise\.any\(|\bstatic\s*\{|\.toSorted\(|\.groupBy\(|\bWeakRef\(|\.inert\b|#\w+ in "
)
# A property of that name that is not the function of newer browsers.
EXPECTED = {"charts.js": {".replaceAll("}}


def shipped(ending: str) -> list[Path]:
    built_libraries()
    return sorted([*OWN.glob(f"*.{ending}"), *BUILT.glob(f"*.{ending}")])


def test_the_style_sheets_use_nothing_newer_than_the_oldest_browser() -> None:
    sheets = shipped("css")
    assert {path.name for path in sheets} == {
        "console.css",
        "screen.css",
        "bootstrap.css",
        "dates.css",
    }
    found = {p.name: TOO_NEW_IN_STYLES.findall(p.read_text(encoding="utf-8")) for p in sheets}
    assert {name: words for name, words in found.items() if words} == {}
    for bad in ("a:has(b)", "inset: 0", "height:100dvh", "a{&:hover{}}", "color:oklch(1 0 0)"):
        assert TOO_NEW_IN_STYLES.search(bad), bad


def test_the_scripts_use_nothing_newer_than_the_oldest_browser() -> None:
    scripts = shipped("js")
    own, built = (
        {"console.js", "fields.js", "kept_forms.js", "screen.js"},
        {"htmx.js", "dates.js", "charts.js"},
    )
    assert {path.name for path in scripts} == own | built
    for path in scripts:
        found = set(TOO_NEW_IN_SCRIPTS.findall(path.read_text(encoding="utf-8")))
        assert found <= EXPECTED.get(path.name, set()), path.name
    for bad in ("a ??= b", "a.at(-1)", "class A { static { } }", "structuredClone(a)"):
        assert TOO_NEW_IN_SCRIPTS.search(bad), bad


@pytest.mark.parametrize("name", ["console.js", "kept_forms.js"])
def test_our_own_scripts_have_the_syntax_of_the_oldest_browser(name: str) -> None:
    """esbuild would rewrite newer syntax for Chrome 86, so its output must equal that for now."""
    lowered = [
        subprocess.run(
            ["npx", "--no-install", "esbuild", f"--target={target}", str(OWN / name)],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout
        for target in ("chrome86,firefox78", "esnext")
    ]  # fmt: skip
    assert lowered[0] == lowered[1]
    assert lowered[0]


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    built_libraries()
    return console_app(uow_factory)[0]


def test_files_are_kept_for_a_year_under_the_hash_of_their_content(app: Flask) -> None:
    shown = Browser(app, "editor-city").get()[1]
    addresses = re.findall(r'(?:href|src)="(/console/assets/[^"]+)"', shown)
    names = ["bootstrap", "console", "kept_forms", "console", "htmx"]
    assert [address.split("/")[-1].split(".")[0] for address in addresses] == names
    for address in addresses:
        answer = app.test_client().get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        kind = "text/css" if address.endswith("css") else "text/javascript"
        assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
        zipped = app.test_client().get(address, headers={"Accept-Encoding": "gzip"})
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(zipped.data) == answer.data
        assert answer.headers["Vary"] == zipped.headers["Vary"] == "Accept-Encoding"


def test_another_content_has_another_address(tmp_path: Path) -> None:
    addresses = []
    for content in ("a{}", "b{}"):
        (tmp_path / "console.css").write_text(content, encoding="utf-8")
        addresses.append(Assets([tmp_path]).address_of("console.css"))
    assert addresses[0] != addresses[1]
    assert re.fullmatch(r"/console/assets/console\.[0-9a-f]{12}\.css", addresses[0])


def test_a_host_without_the_build_serves_plain_pages_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assets = Assets([OWN, tmp_path])
    assert assets.address_of("bootstrap.css") == ""
    assert assets.address_of("console.css") != ""
    assert "build server/console/static" in caplog.text
    assert missing_libraries(tmp_path) == list(LIBRARIES)
