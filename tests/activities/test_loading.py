"""Importing a file of activities."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from server.activities.commands import ActivityImport, import_activities
from server.activities.kinds import ActivityState
from server.activities.models import Activity, Seating
from server.base.uow import UnitOfWorkFactory

GOOD: dict[str, Any] = {
    "ref": "talk-1",
    "kind": "lecture",
    "title": "走近中国天眼",
    "programme": None,
    "city": "450100",
    "county": "450103",
    "starts_at": "2026-06-20T09:30:00+08:00",
    "ends_at": "2026-06-20T11:30:00+08:00",
    "venue": "广西图书馆报告厅",
    "seats": 200,
    "waitlist": True,
    "signup_opens_at": "2026-06-10T09:00:00+08:00",
    "signup_closes_at": "2026-06-20T09:00:00+08:00",
    "party_max": 3,
    "offer_minutes": 0,
}
Importer = Callable[..., ActivityImport]


@pytest.fixture
def imported(uow_factory: UnitOfWorkFactory, tmp_path: Path) -> Importer:
    def run(*rows: Any, dry_run: bool = False, raw: bytes | None = None) -> ActivityImport:
        file = tmp_path / "activities.json"
        file.write_bytes(json.dumps(rows).encode() if raw is None else raw)
        return import_activities(uow_factory, file, dry_run=dry_run)

    return run


def stored(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalar(select(func.count()).select_from(Activity)) or 0


def test_a_good_file_is_published_at_once(
    imported: Importer, uow_factory: UnitOfWorkFactory
) -> None:
    assert imported(GOOD, {**GOOD, "ref": "talk-2", "waitlist": 5}) == ActivityImport(count=2)
    with uow_factory.begin(read_only=True) as uow:
        rows = uow.session.scalars(select(Activity).order_by(Activity.id)).all()
        assert [row.state for row in rows] == [ActivityState.PUBLISHED] * 2
        assert [row.waitlist_most for row in rows] == [None, 5]
        assert [row.owner for row in rows] == ["region"] * 2
        assert set(uow.session.scalars(select(Seating.seats))) == {200}


def test_a_dry_run_stores_nothing(imported: Importer, uow_factory: UnitOfWorkFactory) -> None:
    assert imported(GOOD, dry_run=True) == ActivityImport(count=1)
    assert stored(uow_factory) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "长" * 81}, "title"),
        ({"venue": ""}, "venue"),
        ({"city": "110000"}, "city"),
        ({"county": "450202"}, "county"),
        ({"programme": "nothing-of-that-name"}, "programme"),
        ({"ends_at": "2026-06-20T09:30:00+08:00"}, "ends_at"),
        ({"signup_closes_at": "2026-06-10T09:00:00+08:00"}, "signup_closes_at"),
        ({"signup_closes_at": "2026-06-20T11:31:00+08:00"}, "signup_closes_at"),
        ({"draw_at": "2026-06-10T09:00:00+08:00"}, "draw_at"),
        ({"seats": 0}, "seats"),
        ({"seats": 20_001}, "seats"),
        ({"party_max": 0}, "party_max"),
        ({"waitlist": -1}, "waitlist_most"),
        ({"offer_minutes": -5}, "offer_minutes"),
        ({"room_limit": 199}, "room_limit"),
        ({"latitude": 22.8}, "latitude"),
        ({"latitude": 39.9, "longitude": 116.4}, "latitude"),
        ({"live_link": "http://example.org"}, "live_link"),
    ],
)
def test_a_refused_row_is_named_with_its_field_and_nothing_is_stored(
    imported: Importer, uow_factory: UnitOfWorkFactory, change: dict[str, Any], field: str
) -> None:
    report = imported(GOOD, {**GOOD, "ref": "talk-2", **change})
    assert [(fault.row, fault.field) for fault in report.faults] == [(2, field)]
    assert stored(uow_factory) == 0


@pytest.mark.parametrize(
    "change",
    [{"ref": "../x"}, {"kind": "party"}, {"starts_at": "2026-06-20T09:30:00"}, {"more": 1}],
)
def test_a_row_of_another_form_is_refused(imported: Importer, change: dict[str, Any]) -> None:
    report = imported({**GOOD, **change}, GOOD)
    assert [fault.row for fault in report.faults] == [1]


@pytest.mark.parametrize("raw", [b"", b"{}", b"[1", b"\xff", b"[" * 3000])
def test_what_is_no_list_is_refused_as_a_whole(imported: Importer, raw: bytes) -> None:
    assert [fault.row for fault in imported(raw=raw).faults] == [0]


def test_a_ref_is_used_once(imported: Importer) -> None:
    assert [one.row for one in imported(GOOD, GOOD).faults] == [2]
    assert imported(GOOD).ok
    assert [one.field for one in imported(GOOD).faults] == ["ref"]
