"""Every page of the mini-program, opened in Node before a server that answers from a script.

The scripts are held against the server's own OpenAPI document, so they cannot drift from it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping

import pytest

from server import slices
from server.base.web.openapi import build_document
from tests.kit.node import ROOT, TOGETHER, faults_of, node_path, run_together

PAGES = ROOT / "tests/miniprogram/pages"


def run(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [node_path(), *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The program as `make run` builds it, and the server's document."""
    folder = tmp_path_factory.mktemp("scenes")
    published = build_document(slices.APIS, title="八桂科普", version="1")
    (folder / "openapi.json").write_text(json.dumps(published), encoding="utf-8")
    built = folder / "built"
    done = run(
        "server/emulator/phone/build.mjs",
        *("--app", "miniprogram", "--out", str(built)),
        environment={},
    )
    assert done.returncode == 0, done.stderr
    return {"KEPU_OPENAPI": str(folder / "openapi.json"), "KEPU_BUILT": str(built)}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_pages_in_node(environment: Mapping[str, str]) -> None:
    done = run_together("tests/miniprogram/pages", environment)
    assert faults_of(done) == ""
    assert int(done.stdout.rpartition("\n# pass ")[2].split()[0]) > 200


PLANTED = {
    "setData with function at f": "a value that JSON does not carry",
    "over the limit of 1048576": "too much at once",
    "failureType: 'unhandledRejection'": "a failure that nobody heard",
    "wx.noSuchThing": "an API that the phone lacks",
    "GET /campaign: 200.theme is 7, not string": "an answer that the document does not know",
    "PUT /me: body.score is not in the document": "a request that the document does not know",
}


@pytest.mark.slow
def test_what_goes_wrong_in_a_scene_fails_it(environment: Mapping[str, str]) -> None:
    planted = ("--test-reporter=tap", TOGETHER, str(PAGES / "planted.mjs"))
    done = run(*planted, environment=environment)
    assert done.returncode == 1, done.stdout
    assert f"# fail {len(PLANTED)}\n" in done.stdout, done.stdout
    for line, fault in PLANTED.items():
        assert line in faults_of(done), fault


def test_there_is_a_scene_at_every_page() -> None:
    app = json.loads((ROOT / "miniprogram/app.json").read_text(encoding="utf-8"))
    pages = app["pages"] + [f"{p['root']}/{q}" for p in app["subPackages"] for q in p["pages"]]
    told = "".join(name.read_text(encoding="utf-8") for name in sorted(PAGES.glob("*.test.mjs")))
    assert [page for page in pages if f'"{page}' not in told] == []
