"""A small campaign for tests: one day, one season that outlasts it, one joint action."""

from __future__ import annotations

from datetime import date
from typing import Any

from server.base.uow import UnitOfWork
from server.programme.kinds import Kind, Precision
from server.programme.loading import CampaignPlan, Dates, ProgrammePlan
from server.programme.storing import store_campaign
from server.units.service import Level, UnitRow

HOST = UnitRow(ref="test-host", name="测试科协", kind="科协", level=Level.REGION)

_NO_CONTENT: dict[str, Any] = {
    "who": [],
    "what": [],
    "focus": [],
    "audience": [],
    "participants": [],
    "participants_assumed": False,
    "stop_kinds": [],
    "vehicle_levels": [],
    "note": None,
}


def a_programme(slug: str, dates: Dates | None = None, **facts: Any) -> ProgrammePlan:
    """A programme of the test's host; without dates it is a joint action."""
    plan: dict[str, Any] = {
        "kind": Kind.JOINT if dates is None else Kind.THEME,
        "form": None if dates is None else "event",
        "title": f"活动 {slug}",
        "place": None,
        "place_code": None,
        "owner": HOST.ref,
        "owner_assumed": dates is None,
        "hosts": (HOST.ref,),
        "undertakers": (),
        "open_list": False,
        "content": _NO_CONTENT,
    }
    return ProgrammePlan(slug=slug, dates=dates, **{**plan, **facts})


OPENING = Dates(
    text="2026年4月21日",
    start=date(2026, 4, 21),
    end=date(2026, 4, 21),
    precision=Precision.DAY,
)
SEASON = Dates(
    text="2026年4－12月", start=date(2026, 4, 1), end=date(2026, 12, 31), precision=Precision.MONTH
)


def a_campaign(
    uow: UnitOfWork,
    *programmes: ProgrammePlan,
    slug: str = "test-2026",
    start: date = date(2026, 4, 21),
) -> CampaignPlan:
    """A stored campaign from April to September 2026, with these programmes or three of its own."""
    plan = CampaignPlan(
        slug=slug,
        year=2026,
        title="测试科普行动",
        title_za=None,
        theme="测试主题",
        region_code="450000",
        dates=Dates(
            text="4月下旬—9月底", start=start, end=date(2026, 9, 30), precision=Precision.XUN
        ),
        phone=None,
        target={"metric": "比例", "percent": 7.16, "year": 2026, "scope": "广西"},
        hosts=(HOST.ref,),
        units=(HOST,),
        programmes=programmes
        or (
            a_programme("opening", OPENING, place="南宁市", place_code="450100"),
            a_programme("quiz-contest", SEASON, form="quiz", place_code="450000"),
            a_programme("caravan"),
        ),
        summary={"date_text": "10月底", "precision": Precision.END_OF_MONTH, "awards": []},
        summary_on=date(2026, 10, 31),
    )
    store_campaign(uow, plan, shift=False)
    return plan
