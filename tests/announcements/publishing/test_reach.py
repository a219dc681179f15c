"""The reach of channels: who came by which code, and what they did then."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from server.accounts import privacy
from server.announcements.enums import AnnouncementState
from server.announcements.publishing.console import PAGES
from server.announcements.publishing.reach import Reach, read_reach
from server.base.clock import BEIJING, beijing_day
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import service as channel
from server.channel.models import ChannelCode, CodeTarget, SceneVisit, VisitedApp
from server.programme.models import Participation
from server.quiz.sharing import service as shares
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture, a_lecture
from tests.kit.announcements import an_announcement
from tests.kit.clock import FakeClock
from tests.kit.console import NANNING, Browser, console_app
from tests.kit.pack_probes import a_channel_code

ACTIVITY, ANNOUNCEMENT = CodeTarget.ACTIVITY, CodeTarget.ANNOUNCEMENT
DAY = timedelta(days=1)


def come(
    uow: UnitOfWork,
    row: ChannelCode,
    citizen_id: int,
    at: datetime,
    app: VisitedApp = VisitedApp.MINI_PROGRAM,
) -> None:
    visit = SceneVisit(citizen_id=citizen_id, app=app, scene=row.code, day=beijing_day(at), at=at)
    uow.session.add(visit)
    uow.session.flush()


def sign_up(uow: UnitOfWork, lecture: Lecture, citizen_id: int, at: datetime) -> None:
    uow.session.add(
        SignUp(
            ref=uow.new_ref("sgn"), activity_id=lecture.id, citizen_id=citizen_id,
            state=SignUpState.WITHDRAWN, party_size=1, answers={}, made_at=at, changed_at=at,
        )
    )  # fmt: skip


def take_part(uow: UnitOfWork, citizen_id: int, at: datetime, hour: int | None = None) -> None:
    uow.session.add(
        Participation(
            citizen_id=citizen_id, kind="quiz", source_ref=uow.new_ref("att"),
            on_day=beijing_day(at), hour=hour,
        )
    )  # fmt: skip


def reach(uow: UnitOfWork, target: CodeTarget, ref: str) -> dict[str, tuple[int, ...]]:
    """By name: openings, visits, people, sign-ups, participations."""
    rows = channel.codes_of_target(uow, target, ref)
    found = read_reach(uow, target, ref, rows)

    def told(one: Reach) -> tuple[int, ...]:
        acts = (len(one.signed_up), len(one.took_part))
        return one.opens, len(one.visits), one.people, *acts

    return {row.name: told(found[row.code]) for row in rows}


def test_a_visit_counts_once_a_citizen_and_day_for_the_code(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    clock.set(datetime(2026, 5, 1, 23, 59, tzinfo=BEIJING))
    with uow_factory.begin() as uow:
        ref = a_lecture(uow).ref
        row = a_channel_code(uow, ref)
        a_channel_code(uow, ref, "海报")
        a_channel_code(uow, a_lecture(uow).ref, "另一场")
        people = [a_citizen(uow).id for _ in range(2)]
        code, row_id = row.code, row.id
    for _ in range(3):
        with uow_factory.begin() as uow:
            for one in people:
                shares.record_visit(uow, one, code)
            channel.count_code_opening(uow, row_id)
    clock.advance(60)
    with uow_factory.begin() as uow:
        shares.record_visit(uow, people[0], code)
        shares.record_visit(uow, people[0], f"{code}x")
    with uow_factory.begin() as uow:
        # The same person by the account on the same day is no further visit.
        come(uow, uow.session.get_one(ChannelCode, row_id), people[0], uow.now,
             VisitedApp.OFFICIAL_ACCOUNT)  # fmt: skip
        assert reach(uow, ACTIVITY, ref) == {"微博": (3, 3, 2, 0, 0), "海报": (0, 0, 0, 0, 0)}


def test_a_sign_up_belongs_to_the_last_code_of_the_week_before_it(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        lecture, other = a_lecture(uow), a_lecture(uow)
        blog, poster = a_channel_code(uow, lecture.ref), a_channel_code(uow, lecture.ref, "海报")
        at = uow.now - 30 * DAY
        first, second, third, fourth, fifth = (a_citizen(uow).id for _ in range(5))
        # Two codes: the later one counts, and one that came after the sign-up does not.
        come(uow, blog, first, at)
        come(uow, poster, first, at + DAY)
        sign_up(uow, lecture, first, at + DAY + timedelta(hours=1))
        come(uow, blog, first, at + 3 * DAY)
        # Too late, and before the visit.
        come(uow, blog, second, at)
        sign_up(uow, lecture, second, at + 7 * DAY + timedelta(seconds=1))
        come(uow, blog, third, at)
        sign_up(uow, lecture, third, at - timedelta(seconds=1))
        # Just in time, twice on one day, and once more on another.
        come(uow, blog, fourth, at)
        sign_up(uow, lecture, fourth, at)
        sign_up(uow, other, fourth, at + timedelta(minutes=1))
        sign_up(uow, lecture, fourth, at + 7 * DAY)
        # Another activity, and nobody's visit.
        come(uow, blog, fifth, at)
        sign_up(uow, other, fifth, at + DAY)
        sign_up(uow, lecture, a_citizen(uow).id, at)
    with uow_factory.begin(read_only=True) as uow:
        assert reach(uow, ACTIVITY, lecture.ref) == {
            "微博": (0, 6, 5, 2, 0),
            "海报": (0, 1, 1, 1, 0),
        }


def test_for_an_announcement_all_sign_ups_and_participations_count(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        ref = an_announcement(uow, state=AnnouncementState.DONE, began_at=uow.now).ref
        blog, poster = a_channel_code(uow, ref), a_channel_code(uow, ref, "海报")
        one, two = a_citizen(uow).id, a_citizen(uow).id
        at = datetime(2026, 5, 1, 12, 30, tzinfo=BEIJING)
        come(uow, blog, one, at)
        come(uow, poster, one, at + timedelta(hours=3))
        sign_up(uow, a_lecture(uow), one, at + timedelta(hours=1))
        take_part(uow, one, at, hour=11)
        take_part(uow, one, at, hour=13)
        take_part(uow, one, at, hour=14)
        take_part(uow, one, at + DAY, hour=9)
        come(uow, blog, two, at)
        take_part(uow, two, at + 8 * DAY)
    with uow_factory.begin(read_only=True) as uow:
        assert reach(uow, ANNOUNCEMENT, ref) == {
            "微博": (0, 2, 2, 1, 1),
            "海报": (0, 1, 1, 0, 1),
        }


def test_an_act_belongs_to_the_code_of_another_place_too(
    uow_factory: UnitOfWorkFactory,
) -> None:
    """The city does not get the sign-up that the region's later code brought."""
    app, _ = console_app(uow_factory, PAGES)
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow)
        city = a_channel_code(uow, lecture.ref, "市里", **owned_by(NANNING))
        region = a_channel_code(uow, lecture.ref, "区里")
        person = a_citizen(uow).id
        at = uow.now - DAY
        come(uow, city, person, at)
        come(uow, region, person, at + timedelta(hours=1))
        sign_up(uow, lecture, person, at + timedelta(hours=2))
    rows = {}
    for who in ("editor-city", "editor-region"):
        shown = Browser(app, who).get(f"/packs/activity/{lecture.ref}")[1]
        for row in shown.partition("<tbody>")[2].split("</tr>")[:-1]:
            cells = [cell.partition("</td>")[0] for cell in row.split('<td class="number">')[1:]]
            rows[who, "市里" if "市里" in row else "区里"] = cells
    assert rows == {
        ("editor-city", "市里"): ["0", "1", "1", "0"],
        ("editor-region", "市里"): ["0", "1", "1", "0"],
        ("editor-region", "区里"): ["0", "1", "1", "1"],
    }


def test_an_erased_citizen_leaves_openings_and_no_visit(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow)
        row = a_channel_code(uow, lecture.ref)
        person = a_citizen(uow).id
        come(uow, row, person, uow.now)
        sign_up(uow, lecture, person, uow.now)
        channel.count_code_opening(uow, row.id)
        assert reach(uow, ACTIVITY, lecture.ref) == {"微博": (1, 1, 1, 1, 0)}
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, person)
        assert reach(uow, ACTIVITY, lecture.ref) == {"微博": (1, 0, 0, 0, 0)}
        assert uow.session.scalars(select(SceneVisit)).all() == []


@pytest.mark.parametrize("who", ["editor-region", "approver-region", "auditor-region"])
def test_the_table_shows_counts_and_no_person(
    uow_factory: UnitOfWorkFactory, app: Flask, who: str
) -> None:
    pages, _ = console_app(uow_factory, PAGES)
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow)
        row = a_channel_code(uow, lecture.ref)
        come(uow, row, a_citizen(uow, nickname="韦小明").id, uow.now)
    shown = Browser(pages, who).get(f"/packs/activity/{lecture.ref}")[1]
    assert '<td class="number">1</td>' in shown
    assert "韦小明" not in shown
