"""The forecast of an announcement: its audience grouped by facts, and the choice for each group.

The facts of a large audience take longer to collect than a request may last, so they are those of a
sample. Its error is far below one percent of the audience.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from sqlalchemy import Select, func, select

from server.announcements.audience.facts import FACTS, facts_from_row, facts_select, has_ground
from server.announcements.audience.plan import Forecast, PlanProblem, SendingPlan, forecast_of
from server.announcements.audience.selecting import select_recipients
from server.announcements.enums import Channel
from server.announcements.errors import NoGroundForTemplate, SplitNeeded
from server.announcements.models import Announcement, ChannelUse, Recipient
from server.base.access import Organizer
from server.base.clock import beijing_day
from server.base.errors import NotFound
from server.base.ownership import scope_of, serving_found_row
from server.base.uow import UnitOfWork

# From twice as many people on, the facts of a part of about this size are collected.
SAMPLE = 100_000
# Row ids may follow a pattern; the odd factor spreads them. Source: Knuth, multiplicative hashing.
_SCATTER = 2_654_435_761


def forecast(uow: UnitOfWork, organizer: Organizer, row: Announcement) -> Forecast:
    """Foretell the result of sending an announcement of the organizer's place now.

    After the freeze it is about the frozen recipients.
    Raises: NotFound (404) outside the organizer's scope, WrongAudienceRule (422).
    """
    if not organizer.scope.covers_scope(scope_of(row)):
        raise NotFound
    return forecast_people(uow, _people_of(uow, row), row)


def _people_of(uow: UnitOfWork, row: Announcement) -> Select[Any]:
    if row.audience_size is None:
        return select_recipients(uow, row)
    return select(Recipient.citizen_id).where(Recipient.announcement_id == row.id)


def forecast_people(uow: UnitOfWork, people: Select[Any], row: Announcement) -> Forecast:
    """The forecast for people given by a select of their row ids."""
    # Every row is about a person of the place of the announcement.
    with serving_found_row(uow.session):
        size = uow.session.scalar(select(func.count()).select_from(people.subquery())) or 0
        step = max(1, size // SAMPLE)
        each = facts_select(uow, _every_nth(people, step), row).subquery()
        columns: list[Any] = [each.c[name] for name in FACTS]
        found = uow.session.execute(
            select(*columns, func.count().label("people")).group_by(*columns)
        ).all()
        plan = _plan_of(uow, row)
    counts = [one.people for one in found]
    shares = counts if step == 1 else scale_counts(counts, size)
    groups = [(facts_from_row(one), share) for one, share in zip(found, shares, strict=True)]
    return replace(forecast_of(groups, plan), sampled=step > 1)


def _every_nth(people: Select[Any], step: int) -> Select[Any]:
    """The same part of the people at each call, chosen by scattered row ids."""
    if step == 1:
        return people
    scattered = people.selected_columns[0] * _SCATTER % 2**32
    return people.where(scattered % step == 0)


def scale_counts(counts: Sequence[int], size: int) -> list[int]:
    """The counts of a sample for the whole of `size` people; the sum is exact."""
    sampled = sum(counts)
    ends = [end * size // sampled for end in accumulate(counts)]
    return [end - before for before, end in zip([0, *ends], ends, strict=False)]


def require_plan(uow: UnitOfWork, organizer: Organizer, row: Announcement) -> Forecast:
    """The forecast of an announcement that may be sent as it is.

    Raises: as `forecast`, SplitNeeded (409) over the daily quota without a fitting split over days,
    NoGroundForTemplate (409).
    """
    return _require_good(forecast(uow, organizer, row))


def require_good_plan(uow: UnitOfWork, row: Announcement) -> Forecast:
    """As `require_plan`, in the background, for an announcement that was approved."""
    return _require_good(forecast_people(uow, _people_of(uow, row), row))


def _require_good(found: Forecast) -> Forecast:
    if PlanProblem.NO_GROUND in found.problems:
        raise NoGroundForTemplate
    if PlanProblem.OVER_QUOTA in found.problems:
        raise SplitNeeded(most=found.fitting_per_day)
    return found


def _plan_of(uow: UnitOfWork, row: Announcement) -> SendingPlan:
    sending = uow.settings.sending
    return SendingPlan(
        ladder=tuple(Channel(name) for name in row.ladder),
        limits={
            Channel.MINI_SUBSCRIPTION: sending.mini_subscription_per_day,
            Channel.OFFICIAL_SUBSCRIPTION: sending.official_subscription_per_day,
            Channel.TEMPLATE: sending.template_per_day,
            Channel.CUSTOMER_MESSAGE: sending.customer_message_per_day,
            Channel.MASS: sending.mass_per_day,
        },
        used=_calls_on_first_day(uow, row),
        rate=sending.per_second,
        per_day=row.per_day,
        has_ground=has_ground(uow, row),
    )


def _calls_on_first_day(uow: UnitOfWork, row: Announcement) -> dict[Channel, int]:
    """The calls already made on the Beijing day on which the announcement starts."""
    start = row.starts_at or row.send_at or uow.now
    day = beijing_day(max(start, uow.now))
    used = select(ChannelUse.channel, ChannelUse.calls).where(ChannelUse.on_day == day)
    return {one.channel: one.calls for one in uow.session.execute(used)}
