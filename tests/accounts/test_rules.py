"""Names: what is left of them, how long they are, what strangers see."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.accounts.rules import has_allowed_length, mask_name, split_characters
from server.base.characters import clean_name

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
RAINBOW = "\U0001f3f3\ufe0f\u200d\U0001f308"
THUMB = "\U0001f44d\U0001f3fd"
CHINA = "\U0001f1e8\U0001f1f3"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("张三", "张三"),
        ("  张  三\t四\r\n五 ", "张 三 四 五"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("a\u200bb\ufeffc\u2066d", "abcd"),
        ("a\x00b\x1bc\x7f", "abc"),
        ("张\u200d三", "张三"),
        ("e\u0301", "é"),
        (FAMILY, FAMILY),
        (RAINBOW, RAINBOW),
        (f"{FAMILY}\u200d", FAMILY),
        ("\u200d", ""),
        ("\ue000x", "x"),
    ],
)
def test_a_name_loses_what_cannot_be_seen(written: str, kept: str) -> None:
    assert clean_name(written) == kept


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("张三", 2), ("é", 1), (FAMILY, 1), (RAINBOW, 1), (THUMB, 1), (CHINA + CHINA, 2)],
)
def test_characters_are_counted_as_a_reader_counts(text: str, count: int) -> None:
    assert len(list(split_characters(text))) == count


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("", False),
        ("张", True),
        ("张" * 20, True),
        ("张" * 21, False),
        (FAMILY * 20, True),
        (THUMB * 20, True),
        (THUMB * 21, False),
        ("a" + "\u0301" * 101, False),
        ("\u3164\u3164", False),
        ("\u2800", False),
        ("\u0301", False),
    ],
)
def test_a_name_has_1_to_20_characters_and_shows_something(name: str, good: bool) -> None:
    assert has_allowed_length(clean_name(name)) is good


@pytest.mark.parametrize(
    ("name", "shown"),
    [("张三", "张*"), ("张", "*"), (f"{FAMILY}一家", f"{FAMILY}*"), ("Anna", "A*")],
)
def test_strangers_see_the_first_character(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@given(st.text(max_size=60))
def test_cleaning_is_final_and_leaves_no_control_character(text: str) -> None:
    name = clean_name(text)
    assert clean_name(name) == name
    assert not [c for c in name if unicodedata.category(c) in ("Cc", "Zl", "Zp")]
    assert not [c for c in name if unicodedata.category(c) == "Cf" and c != "\u200d"]


@given(st.text(max_size=60))
def test_characters_put_together_are_the_text(text: str) -> None:
    assert "".join(split_characters(text)) == text
