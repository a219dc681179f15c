"""Rules of passwords, lock-outs, places and the address after the log-in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.base.access import REGION, Role
from server.organizers import rules
from tests.kit.console import LIUZHOU, NANNING, QINGXIU, SCHOOL

NOON = datetime(2026, 5, 1, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def after_tries(count: int, every: timedelta = timedelta(0)) -> rules.TriesState:
    state = rules.TriesState()
    for number in range(count):
        state = state.count_try(NOON + number * every)
    return state


def test_the_tenth_try_bars_for_a_quarter_of_an_hour() -> None:
    assert after_tries(9).time_barred(NOON) == timedelta(0)
    barred = after_tries(10)
    assert barred.time_barred(NOON) == 15 * MINUTE
    assert barred.time_barred(NOON + 14 * MINUTE) == MINUTE
    assert barred.time_barred(NOON + 15 * MINUTE) == timedelta(0)


def test_tries_start_again_after_a_bar_and_after_a_quiet_quarter_of_an_hour() -> None:
    assert after_tries(10).count_try(NOON + 16 * MINUTE).tries == 1
    assert after_tries(9).count_try(NOON + 16 * MINUTE).tries == 1
    assert after_tries(9).count_try(NOON + 15 * MINUTE).tries == 10
    # Slow guessing never counts ten inside the window.
    assert after_tries(50, 16 * MINUTE).barred_until is None


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short-1", "short"),
        ("x1" * 65, "long"),
        ("onlyletters", "simple"),
        ("1111111111a", "simple"),
        ("Password2026", "common"),
        ("qwerty123456", "common"),
        ("xx-weimin-77", "common"),
        ("nine-lives-of-a-cat", None),
        ("清风明月1024共读书", None),
    ],
)
def test_a_password_is_long_mixed_and_no_common_word(password: str, fault: str | None) -> None:
    wanted = None if fault is None else f"organizers.password.{fault}"
    assert rules.password_fault(password, "weimin") == wanted


def test_a_log_in_name_is_short_plain_and_begins_with_a_letter() -> None:
    good = ["wei", "wei.min-2_a", "a" * 32]
    bad = ["", "we", "a" * 33, "Wei", "2wei", "韦敏小", "wei min", "wei\n", "a/b/c"]
    assert [name for name in good + bad if rules.is_username(name)] == good


@pytest.mark.parametrize(
    ("wanted", "opened"),
    [
        ("", "/"),
        ("/console", "/"),
        ("/console/", "/"),
        ("/console/rules?x=1&y=%E4", "/rules?x=1&y=%E4"),
        ("/console/contests/new?base=copy:con_1", "/contests/new?base=copy:con_1"),
        ("/console/ranks?scope=city:450100&q=a+b", "/ranks?scope=city:450100&q=a+b"),
        ("/console/x?y=//evil.example", "/"),
        ("//evil.example", "/"),
        ("https://evil.example/console", "/"),
        ("/console//evil.example", "/"),
        ("/console/../api/v1/me", "/"),
        ("/console\\evil.example", "/"),
        ("/console/x\r\nSet-Cookie: a=b", "/"),
        ("/consoles", "/"),
        ("/console@evil.example", "/"),
    ],
)
def test_the_log_in_leads_into_the_console_alone(wanted: str, opened: str) -> None:
    assert rules.path_after_login(wanted) == opened


def test_a_session_ends_when_idle_or_old() -> None:
    def alive(started: timedelta, seen: timedelta) -> bool:
        return rules.session_alive(NOON - started, NOON - seen, NOON)

    assert alive(12 * 60 * MINUTE, 30 * MINUTE)
    assert not alive(12 * 60 * MINUTE + MINUTE, timedelta(0))
    assert not alive(40 * MINUTE, 31 * MINUTE)


def test_a_successor_has_the_same_role_and_a_place_that_covers_the_other() -> None:
    leaving = (Role.EDITOR, QINGXIU)
    fits = [QINGXIU, NANNING, REGION]
    for place in (*fits, SCHOOL, LIUZHOU):
        assert rules.may_succeed(leaving, (Role.EDITOR, place)) is (place in fits)
    assert not rules.may_succeed(leaving, (Role.APPROVER, NANNING))
    assert not rules.may_succeed(leaving, leaving, same=True)
