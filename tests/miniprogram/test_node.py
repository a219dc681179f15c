"""The mini-program's logic and its calls to the server, tested in Node."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from server import slices
from server.base.web.openapi import build_document
from tests.kit.node import ROOT, node_path


def test_logic_words_and_calls_of_the_mini_program(tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    published = build_document(slices.APIS, title="八桂科普", version="1")
    document.write_text(json.dumps(published), encoding="utf-8")
    run = subprocess.run(
        [node_path(), "tests/miniprogram/run.mjs"],
        cwd=ROOT,
        env=os.environ | {"KEPU_OPENAPI": str(document)},
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    print(run.stdout[-20_000:])
    assert run.returncode == 0, run.stderr
