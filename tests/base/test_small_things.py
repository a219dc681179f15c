"""Clock, keys, texts, cursors, log lines."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from server.base.clock import (
    BEIJING,
    ShiftedClock,
    beijing_day,
    beijing_midnight,
    beijing_week,
    say_end_time,
)
from server.base.errors import Invalid
from server.base.ids import new_ref
from server.base.log import JsonLines
from server.base.signing import Keys, Unreadable
from server.base.texts import TextMissing, load_texts
from server.base.web.cursor import decode_cursor, encode_cursor
from tests.kit.clock import FakeClock


def test_the_campaign_s_day_turns_at_beijing_midnight() -> None:
    assert beijing_day(datetime(2026, 4, 30, 15, 59, 59, tzinfo=UTC)) == date(2026, 4, 30)
    assert beijing_day(datetime(2026, 4, 30, 16, 0, 0, tzinfo=UTC)) == date(2026, 5, 1)
    assert beijing_midnight(date(2026, 5, 1)) == datetime(2026, 4, 30, 16, tzinfo=UTC)
    assert beijing_week(date(2027, 1, 1)) == "2026-W53"


def test_the_clock_follows_the_file_that_moves_it(tmp_path: Path) -> None:
    machine = FakeClock()
    clock = ShiftedClock(tmp_path / "clock.json", machine)
    assert clock.now() == machine.now()
    for number, (shift, expected) in enumerate(
        [
            ({"offset_s": 90, "frozen_at": None}, machine.now().timestamp() + 90),
            ({"offset_s": 90, "frozen_at": 1000.0}, 1000.0),
        ]
    ):
        fresh = tmp_path / f"{number}.new"
        fresh.write_text(json.dumps(shift), "utf-8")
        fresh.replace(tmp_path / "clock.json")
        assert clock.now().timestamp() == expected


def test_a_sealed_text_opens_in_its_own_place_only() -> None:
    keys = Keys("k" * 40)
    sealed = keys.seal_text("张三", "consent.guardian_name:7")
    assert "张三" not in sealed
    assert keys.unseal_text(sealed, "consent.guardian_name:7") == "张三"
    with pytest.raises(Unreadable):
        keys.unseal_text(sealed, "consent.guardian_name:8")
    with pytest.raises(Unreadable):
        Keys("x" * 40).unseal_text(sealed, "consent.guardian_name:7")
    with pytest.raises(Unreadable):
        keys.unseal_text("v1.rubbish", "x")


def test_a_cursor_comes_back_and_a_foreign_one_is_refused() -> None:
    assert decode_cursor(encode_cursor("2026-05-01", 7), str, int) == ["2026-05-01", 7]
    for bad in (
        "x",
        "",
        "AAAA",
        encode_cursor(1),
        encode_cursor("a", "b"),
        "[" * 5000,
        encode_cursor("a", 2**70),
        encode_cursor("\0", 1),
    ):
        with pytest.raises(Invalid):
            decode_cursor(bad, str, int)


def test_a_missing_sentence_or_place_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "texts.toml").write_text('[error]\nfull = "满了，前面{waiting}位"\n', "utf-8")
    (folder / "texts.za.toml").write_text("", "utf-8")
    texts = load_texts([folder])
    assert texts.error_text("full", {"waiting": 3}) == "满了，前面3位"
    assert texts.missing_keys("za") == ["shop.error.full"]
    with pytest.raises(TextMissing):
        texts.error_text("full")
    with pytest.raises(TextMissing):
        texts.fill_text("shop.nothing")


def test_a_log_line_holds_no_message_of_an_exception() -> None:
    try:
        raise ValueError("openid oSECRET")
    except ValueError as trouble:
        info = (type(trouble), trouble, trouble.__traceback__)
    record = logging.LogRecord("server.x", logging.ERROR, __file__, 1, "it broke\nreally", (), info)
    record.openid = "oSECRET"
    line = JsonLines("server").format(record)
    assert "oSECRET" not in line
    assert "\n" not in line
    assert json.loads(line)["trace"][0] == "ValueError"


def test_a_log_line_is_made_once_for_all_who_write_it() -> None:
    class Counting(logging.LogRecord):
        made = 0

        def getMessage(self) -> str:  # noqa: N802 - its name in the library
            self.made += 1
            return super().getMessage()

    record = Counting("server.x", logging.INFO, __file__, 1, "said %s\n", ("水",), None)
    lines = JsonLines("server")
    assert lines.format(record) == lines.format(record)
    assert record.made == 1
    assert json.loads(lines.format(record))["event"] == "said 水\n"


def test_public_names_are_of_all_letters_and_never_the_same() -> None:
    refs = [new_ref("att") for _ in range(500)]
    assert len(set(refs)) == 500
    assert all(re.fullmatch(r"att_[0-9a-hjkmnp-tv-z]{20}", ref) for ref in refs)
    assert len(set("".join(ref[4:] for ref in refs))) == 32


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (datetime(2026, 3, 18, tzinfo=BEIJING), (date(2026, 3, 17), "24:00")),
        (datetime(2026, 12, 31, 16, tzinfo=UTC), (date(2026, 12, 31), "24:00")),
        (datetime(2026, 3, 18, 0, 1, tzinfo=BEIJING), (date(2026, 3, 18), "00:01")),
        (datetime(2026, 3, 18, 21, 30, tzinfo=BEIJING), (date(2026, 3, 18), "21:30")),
    ],
)
def test_an_end_at_midnight_is_said_as_the_end_of_the_day(
    end: datetime, told: tuple[date, str]
) -> None:
    assert say_end_time(end) == told
