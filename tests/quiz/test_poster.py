"""The pictures of a card: the same for the same words, and nothing runs out of its place."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from server.quiz import poster
from server.quiz.poster import Card, Poster, drawn, drawn_card
from tests.kit.pictures import a_code

CODE = a_code()


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
    first = drawn(a_poster())
    poster.drawn.cache_clear()
    assert drawn(a_poster()) == first
    assert drawn(a_poster(score="80")) != first


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
    poster.drawn_card.cache_clear()
    assert drawn_card(a_card()) == first
    for changes in ({"score": "80"}, {"name": "莫*"}, {"contest": "决赛"}, {"campaign": ("桂",)}):
        assert drawn_card(a_card(**changes)) != first


def test_the_longest_titles_stay_on_the_green_of_a_card() -> None:
    long = a_card(campaign=("八桂科普大行动" * 20, "Bagvei " * 20), contest="竞赛" * 40)
    with Image.open(io.BytesIO(drawn_card(long))) as picture:
        edges = [picture.crop((0, top, 750, top + 8)).getcolors() for top in (0, 300, 309)]
    assert [len(colours or []) for colours in edges] == [1, 1, 1]


def test_letters_that_the_font_lacks_are_left_out_and_rare_ones_are_there() -> None:
    assert poster._shown("韦*😀\U0010abcd") == "韦*"
    assert poster._shown("㙍𬴊ƽƨь") != ""
    assert poster._shown("龘彧 Vahcuengh") == "龘彧 Vahcuengh"


def test_a_long_title_is_folded_and_ended() -> None:
    title = "2026年广西“公民科学素质提升行动”主题科普活动暨八桂科普大行动" * 3
    lines = list(poster._folded(title, 36, 2))
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert next(iter(poster._folded("Vahcuengh " * 9, 36, 3))).endswith("Vahcuengh ")
    assert not any(line.startswith("”") for line in poster._folded("八" * 17 + "”九", 36, 3))
