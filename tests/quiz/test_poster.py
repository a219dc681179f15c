"""The pictures of a card: the same for the same words, and nothing runs out of its place."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from server.base.lettering import drawable_text, fold_text
from server.quiz.sharing.poster import (
    Card,
    Poster,
    can_draw_name,
    content_name,
    draw_poster,
    drawn_card,
)
from tests.kit.pictures import a_code

CODE = a_code()
WIDE = 638


def a_poster(**changes: Any) -> Poster:
    facts: dict[str, Any] = {
        "campaign": ("八桂科普大行动", "Bagvei Gohbuj"),
        "contest": "竞赛",
        "name": "韦*",
        "score": "90",
        "score_note": "满分",
        "lines": ("一", "二"),
        "invitation": "来",
        "code": CODE,
    }
    return Poster(**{**facts, **changes})


def test_the_same_words_give_the_same_picture() -> None:
    first = draw_poster(a_poster())
    assert draw_poster(a_poster()) == first
    assert draw_poster(a_poster(score="80")) != first


def a_card(**changes: Any) -> Card:
    facts: dict[str, Any] = {
        "campaign": ("八桂", "Bagvei"),
        "contest": "竞赛",
        "name": "韦*",
        "score": "90",
        "score_note": "满分",
    }
    return Card(**{**facts, **changes})


def test_the_same_words_give_the_same_card() -> None:
    first = drawn_card(a_card())
    assert drawn_card(a_card()) == first
    for changes in ({"score": "80"}, {"name": "莫*"}, {"contest": "决赛"}, {"campaign": ("桂",)}):
        assert drawn_card(a_card(**changes)) != first


def test_the_longest_titles_stay_on_the_green_of_a_card() -> None:
    long = a_card(campaign=("八桂科普大行动" * 20, "Bagvei " * 20), contest="竞赛" * 40)
    with Image.open(io.BytesIO(drawn_card(long))) as picture:
        edges = [picture.crop((0, top, 750, top + 8)).getcolors() for top in (0, 300, 309)]
    assert [len(colours or []) for colours in edges] == [1, 1, 1]


@pytest.mark.parametrize(
    ("said", "drawn_as"),
    [
        ("韦*😀\U0010abcd", "韦*"),
        ("㙍𬴊ƽƨь", "㙍𬴊ь"),
        ("龘彧 Vahcuengh", "龘彧 Vahcuengh"),
        ("𠮷𪚥李", "李"),  # Extension B: neither is in the font
        ("👩\u200d🔬李", "李"),
        ("李👨\u200d👩\u200d👧", "李"),
        ("👍🏽李", "李"),
        ("🇨🇳李", "李"),
        ("🏴\U000e0067\U000e0062\U000e007f李", "李"),
        ("1\ufe0f\u20e3李", "李"),  # a key of a telephone, not the figure one
        ("♥\ufe0f李", "♥李"),
        ("葛\U000e0100", "葛"),
        ("e\u0301", "é"),
        ("m\u0300", "m\u0300"),
        ("x\u0323", ""),  # not "x"
        ("a\u0330b", "b"),
        ("שלום李", "李"),
        ("سلام", ""),
        ("韦\u202e小\u200b明\u2066", "韦小明"),
        ("\0\x07韦\x1d\ufffe", "韦"),
        ("韦\r\n小\u3000明\u00a0家", "韦 小 明 家"),
        ("韦 😀 小", "韦 小"),
        ("กำ", ""),
        ("한", ""),
        ("", ""),
    ],
)
def test_a_character_is_drawn_whole_or_left_out_whole(said: str, drawn_as: str) -> None:
    assert drawable_text(said) == drawn_as


def test_the_box_of_a_missing_letter_is_on_no_picture() -> None:
    clean = drawn_card(a_card(name="韦*"))
    for name in ("韦*😀", "𪚥韦*", "韦*👩\u200d🔬", "ש韦*", "韦*x\u0323", "\u202e韦*"):
        assert drawn_card(a_card(name=name)) == clean
    assert drawn_card(a_card(name="李*")) != clean


def test_a_name_of_which_nothing_can_be_drawn_is_known() -> None:
    assert [can_draw_name(name) for name in ("😀*", "*", "", "𪚥", "韦*", "x")] == [False] * 4 + [
        True
    ] * 2


def test_the_name_of_a_content_differs_wherever_the_picture_does() -> None:
    names = {content_name(a_card()), content_name(a_poster())}
    for changes in ({"score": "80"}, {"name": "莫*"}, {"contest": "决赛"}, {"campaign": ("桂",)}):
        names |= {content_name(a_card(**changes)), content_name(a_poster(**changes))}
    for changes in ({"lines": ("一",)}, {"invitation": "去"}, {"code": b"x"}):
        names.add(content_name(a_poster(**changes)))
    assert len(names) == 13


def test_a_long_title_is_folded_and_ended() -> None:
    title = "2026年广西“公民科学素质提升行动”主题科普活动暨八桂科普大行动" * 3
    lines = list(fold_text(title, 36, 2, wide=WIDE))
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert fold_text("Vahcuengh " * 9, 36, 3, wide=WIDE)[0].endswith("Vahcuengh ")
    assert not any(line.startswith("”") for line in fold_text("八" * 17 + "”九", 36, 3, wide=WIDE))
