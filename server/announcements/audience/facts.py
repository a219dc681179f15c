"""The facts about people that decide their channel, in one statement for any number of people.

The forecast asks for an audience and the ledger for a batch. Both get the same facts, so that the
forecast differs from the result only by changes in between.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, false, func, not_, or_, select, true

from server.accounts import service as accounts
from server.activities import service as activities
from server.announcements.audience.choice import PersonFacts
from server.announcements.audience.corrections import first_of, select_pushed
from server.announcements.audience.rule import AudienceRule, ContestResult, TookPartIn, read_rule
from server.announcements.audience.selecting import select_entrants, select_took_part
from server.announcements.enums import Channel, Purpose, TryState
from server.announcements.models import Announcement, Recipient, SendTry
from server.base.clock import beijing_day, beijing_midnight
from server.base.sql.many import is_any_of
from server.base.templates import template_id_of
from server.base.uow import UnitOfWork
from server.channel import service as channel
from server.notices import service as notices
from server.signups import service as signups

# The columns of `facts_select` after `citizen_id`; each is a field of `PersonFacts`.
FACTS = PersonFacts.__slots__
_SENT = (TryState.CLAIMED, TryState.ACCEPTED, TryState.IN_DOUBT, TryState.UNKNOWN)


def outreach_key(row: Announcement) -> str:
    """The key under which the ledger reserves places for an announcement in people's limit."""
    return f"announcement:{row.ref}"


def facts_select(uow: UnitOfWork, people: Select[Any], row: Announcement) -> Select[Any]:
    """One row for each present citizen of `people`: `citizen_id` and the fields of `PersonFacts`.

    `people` selects row ids of citizens, for example `select_audience` or the recipients of a
    batch. Facts that no channel of the ladder needs are false. The place that the announcement
    itself reserved in somebody's limit does not count.
    """
    return _FactsOf(uow, people, row).select_facts()


def facts_from_row(found: Any) -> PersonFacts:
    """The facts in a row of `facts_select`."""
    return _facts_of(tuple(getattr(found, name) for name in FACTS))


@lru_cache(maxsize=1024)
def _facts_of(values: tuple[Any, ...]) -> PersonFacts:
    """Facts by their values: many people have the same ones, and share an object."""
    facts = dict(zip(FACTS, values, strict=True))
    mass_count = int(facts.pop("mass_count"))
    return PersonFacts(
        **{name: bool(value) for name, value in facts.items()}, mass_count=mass_count
    )


def load_facts(uow: UnitOfWork, people: Select[Any], row: Announcement) -> dict[int, PersonFacts]:
    """The facts of each present citizen of `people`, by row id; for a batch."""
    found = uow.session.execute(facts_select(uow, people, row))
    return {citizen_id: _facts_of(tuple(values)) for citizen_id, *values in found}


def load_batch_facts(
    uow: UnitOfWork, row: Announcement, recipient_ids: Collection[int]
) -> dict[int, PersonFacts]:
    """The facts of the citizens of some recipients of one announcement, by their row ids.

    The statement is kept from one batch to the next, because spelling it takes longer than running
    it. It is spelled again each minute, and always for customer messages, whose window ends at an
    instant.
    """
    limit = uow.settings.outreach
    minute = uow.now.replace(second=0, microsecond=0)
    key = (row.ref, row.version, minute, limit.per_day, limit.per_week)
    statement = None if Channel.CUSTOMER_MESSAGE in row.ladder else _KEPT.get(key)
    if statement is None:
        people = select(Recipient.citizen_id).where(is_any_of(Recipient.id, "recipient_ids"))
        statement = facts_select(uow, people, row)
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        _KEPT[key] = statement
    found = uow.session.execute(statement, {"recipient_ids": recipient_ids})
    return {citizen_id: _facts_of(tuple(values)) for citizen_id, *values in found}


# The statements of announcements that are being sent.
_KEPT: dict[tuple[object, ...], Select[Any]] = {}
_MOST_KEPT = 16


def month_start(now: datetime) -> datetime:
    """The first instant of the calendar month in Beijing."""
    return beijing_midnight(beijing_day(now).replace(day=1))


class _FactsOf:
    """The parts of the statement for one announcement and some people."""

    def __init__(self, uow: UnitOfWork, people: Select[Any], row: Announcement) -> None:
        self.uow = uow
        self.row = row
        # A correction is sent on the grounds of the announcement that it corrects.
        self.first = first_of(uow, row)
        self.rule = read_rule(self.first.audience)
        self.ladder = tuple(Channel(name) for name in row.ladder)
        # Everything below is restricted to these people, also inside the groupings: a batch of the
        # ledger would otherwise read the grants of everybody.
        self.people: CTE = people.cte("people")
        self.person = accounts.facts_of_citizens(row.topic).subquery("person")

    def select_facts(self) -> Select[Any]:
        """The whole statement."""
        wanted = self.ladder
        person = self.person.c
        outreach = self._count_outreach()
        mass = self._count_mass()
        uncounted = self._is_uncounted()
        columns = {
            "opted_out": person.opted_out,
            "never_pushed": self._was_never_pushed(),
            "capped": and_(self._is_full(outreach), not_(uncounted)),
            "uncounted": uncounted,
            "asked_for": self._asked_for() if Channel.TEMPLATE in wanted else false(),
            "follows": self._is_in(channel.following_select()),
            "in_mini_program": person.in_mini_program,
            "in_official_account": person.in_official_account,
            "mini_grant": self._has_grant(Channel.MINI_SUBSCRIPTION),
            "official_grant": self._has_grant(Channel.OFFICIAL_SUBSCRIPTION),
            "window": self._has_window() if Channel.CUSTOMER_MESSAGE in wanted else false(),
            "mass_count": func.coalesce(mass.c.sent, 0),
        }
        labelled: list[Any] = [columns[name].label(name) for name in FACTS]
        return (
            select(person.citizen_id, *labelled)
            .join(self.people, person.citizen_id == self.people.c[0])
            .outerjoin(outreach, outreach.c.citizen_id == person.citizen_id)
            .outerjoin(mass, mass.c.citizen_id == person.citizen_id)
        )

    def _of_people(self, asked: Select[Any]) -> Select[Any]:
        """A subquery of citizens, restricted to the people of this statement."""
        return asked.where(asked.selected_columns[0].in_(select(self.people.c[0])))

    def _is_in(self, asked: Select[Any]) -> ColumnElement[bool]:
        return self.person.c.citizen_id.in_(self._of_people(asked))

    def _count_outreach(self) -> Any:
        today = beijing_day(self.uow.now)
        counts = notices.outreach_counts_select(today, but=outreach_key(self.row))
        return self._of_people(counts).subquery("outreach")

    def _is_full(self, outreach: Any) -> ColumnElement[bool]:
        limit = self.uow.settings.outreach
        return or_(
            func.coalesce(outreach.c.today, 0) >= limit.per_day,
            func.coalesce(outreach.c.week, 0) >= limit.per_week,
        )

    def _count_mass(self) -> Any:
        """Mass messages of this calendar month, by citizen; of nobody without that channel."""
        columns: list[Any] = [Recipient.citizen_id, func.count().label("sent")]
        asked = (
            select(*columns)
            .join(SendTry, SendTry.recipient_id == Recipient.id)
            .where(
                SendTry.channel == Channel.MASS,
                SendTry.state.in_(_SENT),
                SendTry.made_at >= month_start(self.uow.now),
                Recipient.announcement_id != self.row.id,
            )
            .group_by(Recipient.citizen_id)
        )
        if Channel.MASS not in self.ladder:
            asked = asked.where(false())
        return self._of_people(asked).subquery("mass")

    def _has_grant(self, of: Channel) -> ColumnElement[bool]:
        template_id = template_id_for(self.row, of)
        if of not in self.ladder or template_id is None:
            return false()
        return self._is_in(notices.open_grants_select(template_id))

    def _has_window(self) -> ColumnElement[bool]:
        return self._is_in(channel.open_window_ids(self.uow.now))

    def _was_never_pushed(self) -> ColumnElement[bool]:
        """Whether the announcement that is corrected is only an unread copy in the inbox."""
        if self.row.corrects_id is None:
            return false()
        return not_(self._is_in(select_pushed(self.row.corrects_id)))

    def _is_uncounted(self) -> ColumnElement[bool]:
        """Whether the limit over all senders does not apply.

        It does not to a correction, which repairs a message that was counted, nor to the change of
        an activity in which the person has a place.
        """
        if self.row.corrects_id is not None:
            return true()
        if self.row.purpose is not Purpose.CHANGE or self.row.activity_ref is None:
            return false()
        return self._is_in(_signed_up_for((self.row.activity_ref,)))

    def _asked_for(self) -> ColumnElement[bool]:
        acts = _select_grounds(self.uow, self.first, self.rule)
        return or_(self.person.c.chose_topic, *(self._is_in(one) for one in acts))


def has_ground(uow: UnitOfWork, row: Announcement) -> bool:
    """Whether an announcement, or the one that it corrects, names an act that asks for it.

    A template message needs one: the chosen topic, or a sign-up, entry or participation of the
    recipient's own.
    """
    row = first_of(uow, row)
    rule = read_rule(row.audience)
    took_part = rule.took_part
    return (
        row.topic is not None
        or row.activity_ref is not None
        or rule.contest is not None
        or (rule.signups is not None and bool(rule.signups.activities))
        or (took_part is not None and took_part.programme is not None)
    )


def _select_grounds(
    uow: UnitOfWork, row: Announcement, rule: AudienceRule
) -> Iterator[Select[Any]]:
    """The citizens whose own act is a ground for template messages, besides the chosen topic."""
    refs = set() if rule.signups is None else set(rule.signups.activities)
    if row.activity_ref is not None:
        refs.add(row.activity_ref)
    if refs:
        yield _signed_up_for(tuple(sorted(refs)))
    if rule.contest is not None:
        yield select_entrants(uow, ContestResult(contest=rule.contest.contest))
    if rule.took_part is not None and rule.took_part.programme is not None:
        yield select_took_part(TookPartIn(programme=rule.took_part.programme))


def _signed_up_for(refs: tuple[str, ...]) -> Select[Any]:
    return signups.citizens_signed_up(activities.ids_on_days(refs, None, None))


def template_id_for(row: Announcement, of: Channel) -> str | None:
    """WeChat's id of the template that a channel of an announcement uses."""
    content = row.contents.get(of.value) or {}
    slug = content.get("template")
    return None if slug is None else template_id_of(slug)
