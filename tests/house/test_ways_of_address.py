"""Ways of address: citizens read 你, organizers 您, and nobody both."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.house.source import SERVER
from tests.kit.paths import ROOT

# Slices, or sections of a slice, whose texts citizens read: in the mini-program, the chat, the
# inbox. All others belong to the console.
CITIZENS = {
    "base", "accounts", "channel", "notices", "programme", "units", "wechat",
    "unit_requests.letter", "quiz.chat", "quiz.board", "quiz.reminder", "quiz.share", "quiz.result",
    "quiz.certificate",
    "quiz.final_letter", "quiz.hold_letter", "quiz.rescore_letter", "quiz.report_letter",
    "signups.notice", "signups.notice_word", "signups.not_pushed", "signups.chat",
    "signups.no_show", "checkin.chat",
}  # fmt: skip
# Refusals of both sides stand beside each other; these belong to the console.
ORGANIZERS_ERRORS = {"own_question", "own_sealing", "own_seal_change", "approvals_paused"}
SAY = "citizens read 你, organizers 您 (docs/glossary.md)"


def list_sentences(slice_name: str, tree: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys and sentences of one catalogue."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from list_sentences(f"{slice_name}.{name}", value)
        else:
            yield f"{slice_name}.{name}", value


def read_by_citizens(key: str) -> bool:
    """Whether a text is for citizens."""
    slice_name, section, *_ = key.split(".")
    if section == "error":
        return slice_name not in ("console", "organizers") and (
            key.rpartition(".")[2] not in ORGANIZERS_ERRORS
        )
    return slice_name in CITIZENS or f"{slice_name}.{section}" in CITIZENS


def address_faults(sentences: Iterator[tuple[str, str]]) -> list[str]:
    """The sentences that address their reader in the other side's way."""
    wrong = {True: "您", False: "你"}
    return [
        f"{key}: {sentence}: {SAY}"
        for key, sentence in sentences
        if wrong[read_by_citizens(key)] in sentence
    ]


def test_each_side_is_addressed_in_its_own_way() -> None:
    faults = []
    for path in SERVER.rglob("texts.toml"):
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        faults += address_faults(list_sentences(path.parent.name, tree))
    assert faults == []


def list_phone_files() -> list[Path]:
    """The sources of the mini-program with words."""
    found = [
        path
        for ending in ("ts", "wxml", "json")
        for path in (ROOT / "miniprogram").rglob(f"*.{ending}")
    ]
    return [path for path in found if "node_modules" not in path.parts]


def test_the_mini_program_says_ni() -> None:
    files = list_phone_files()
    assert len(files) > 50
    faults = [str(path) for path in files if "您" in path.read_text(encoding="utf-8")]
    assert faults == [], SAY


def test_the_console_names_people_by_two_words() -> None:
    faults = [
        f"{key}: {sentence}"
        for path in SERVER.rglob("texts.toml")
        for key, sentence in list_sentences(
            path.parent.name, tomllib.loads(path.read_text(encoding="utf-8"))
        )
        if not read_by_citizens(key) and ("群众" in sentence or "市民" in sentence)
    ]
    assert faults == [], "say 参与者 or 公众 (docs/glossary.md)"


@pytest.mark.parametrize(
    ("key", "sentence", "is_wrong"),
    [
        ("quiz.hold_letter.held", "您的成绩", True), ("quiz.hold_letter.held", "你的成绩", False),
        ("quiz.bank.waits", "等你审核", True), ("quiz.bank.waits", "等您审核", False),
        ("quiz.error.no_attempts_left", "您的次数", True), ("console.error.x", "你的账号", True),
    ],
)  # fmt: skip
def test_the_other_sides_way_is_found(key: str, sentence: str, is_wrong: bool) -> None:
    assert bool(address_faults(iter([(key, sentence)]))) is is_wrong
