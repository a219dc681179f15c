"""The people of an audience: one select for the count, the forecast and the frozen recipients.

Citizens must be in the place of the announcement, whatever the rule says. Erased and merged ones
are left out, and those who want no announcements or none about this topic.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, false, func, or_, select

from server.accounts import service as accounts
from server.accounts.service import CitizenFilter
from server.activities import service as activities
from server.announcements.audience.rule import (
    AudienceRule,
    ContestResult,
    SignedUp,
    SignUpBand,
    TookPartIn,
    read_rule,
)
from server.announcements.enums import RecipientState
from server.announcements.models import Announcement, Recipient, SendTry
from server.base.access import REGION, Organizer, Scope
from server.base.errors import NotFound
from server.base.ownership import scope_from_columns, scope_of, serving_found_row
from server.base.uow import UnitOfWork
from server.channel import service as channel
from server.checkin import service as checkin
from server.programme import service as programmes
from server.quiz import service as quiz
from server.quiz.service import ResultBand
from server.signups import service as signups
from server.signups.service import SignUpState
from server.units import service as units

# No unit has this row id: a filter by unknown units selects nobody, and not everybody.
_NO_UNIT = 0


def select_audience(
    uow: UnitOfWork, scope: Scope, rule: AudienceRule, topic: str | None = None
) -> Select[Any]:
    """The row ids of the citizens of a place whom a rule selects, each once.

    Announcements are about `topic`. A rule that refers to something unknown selects nobody.
    """
    if rule.correction_of is not None:
        return _select_corrected(uow, scope, rule.correction_of)
    people = accounts.citizens_of(scope, _filter_of(uow, rule, topic))
    citizen_id = people.selected_columns[0]
    return people.where(*(citizen_id.in_(chosen) for chosen in _selections_of(uow, rule)))


def select_recipients(uow: UnitOfWork, row: Announcement) -> Select[Any]:
    """The row ids of the citizens whom an announcement is for.

    Raises: WrongAudienceRule (422).
    """
    return select_audience(uow, scope_of(row), read_rule(row.audience), row.topic)


def count_audience(
    uow: UnitOfWork, organizer: Organizer, rule: AudienceRule, topic: str | None
) -> int:
    """Number of people whom a rule selects in the organizer's place."""
    return _count_selected(uow, select_audience(uow, organizer.scope, rule, topic))


def count_by_rule(uow: UnitOfWork, row: Announcement, rule: AudienceRule) -> int:
    """Number of people whom an announcement would be for with another rule."""
    return _count_selected(uow, select_audience(uow, scope_of(row), rule, row.topic))


def count_recipients(uow: UnitOfWork, row: Announcement) -> int:
    """Number of people whom an announcement is for; the caller found it in the organizer's scope.

    Raises: WrongAudienceRule (422).
    """
    return _count_selected(uow, select_recipients(uow, row))


def _count_selected(uow: UnitOfWork, people: Select[Any]) -> int:
    # Every row is a person of the place of the announcement.
    with serving_found_row(uow.session):
        return uow.session.scalar(select(func.count()).select_from(people.subquery())) or 0


def _filter_of(uow: UnitOfWork, rule: AudienceRule, topic: str | None) -> CitizenFilter:
    found = [units.unit_by_ref(uow, ref) for ref in rule.units]
    return CitizenFilter(
        cities=rule.cities,
        counties=rule.counties,
        unit_ids=tuple(_NO_UNIT if one is None else one.id for one in found),
        topics=rule.topics,
        announced=True,
        about=topic,
    )


def _selections_of(uow: UnitOfWork, rule: AudienceRule) -> Iterator[Select[Any]]:
    """A subquery of citizens for each further condition of a rule."""
    if rule.took_part is not None:
        yield select_took_part(rule.took_part)
    if rule.contest is not None:
        yield select_entrants(uow, rule.contest)
    if rule.signups is not None:
        yield _select_signed_up(rule.signups)
    if rule.came_by is not None:
        came = rule.came_by
        yield channel.citizens_by_scene(came.scenes, came.first_day, came.last_day)


def select_took_part(wanted: TookPartIn) -> Select[Any]:
    """The citizens who took part in a programme."""
    return programmes.citizens_who(
        programmes.TookPart(
            programme=wanted.programme,
            kind=wanted.kind,
            first_day=wanted.first_day,
            last_day=wanted.last_day,
        )
    )


def select_entrants(uow: UnitOfWork, wanted: ContestResult) -> Select[Any]:
    """The citizens with an entry in a contest and such a result; nobody for an unknown contest."""
    try:
        contest = quiz.find_contest(uow, wanted.contest)
    except NotFound:
        return _select_nobody()
    band = ResultBand(
        completed=wanted.completed,
        minimum_score=wanted.minimum_score,
        best_rank=wanted.best_rank,
        last_rank=wanted.last_rank,
    )
    return quiz.entrants_of(contest, band)


def _select_signed_up(wanted: SignedUp) -> Select[Any]:
    chosen = activities.ids_on_days(wanted.activities, wanted.first_day, wanted.last_day)
    if not wanted.states:
        return signups.citizens_signed_up(chosen)
    parts = {
        SignUpBand.CONFIRMED: signups.citizens_signed_up(chosen, (SignUpState.CONFIRMED,)),
        SignUpBand.WAITLISTED: signups.citizens_signed_up(chosen, signups.HOPING),
        SignUpBand.ATTENDED: checkin.citizens_attended(chosen),
        SignUpBand.ABSENT: signups.citizens_absent(chosen),
    }
    first, *others = (parts[state] for state in wanted.states)
    return select(first.union(*others).subquery()) if others else first


def _select_corrected(uow: UnitOfWork, scope: Scope, ref: str) -> Select[Any]:
    """The citizens who got an announcement of this place, wherever they live now.

    They got it when the row was processed, or when a try was made before the cancellation: then at
    least a copy is in the inbox. Citizens who turned announcements off since then are included,
    because the wrong copy is in their inbox too; the ledger pushes them nothing.
    """
    everybody = accounts.citizens_of(REGION, CitizenFilter())
    with serving_found_row(uow.session):
        columns = (Announcement.id, Announcement.owner, Announcement.owner_city)
        corrected = uow.session.execute(
            select(*columns, Announcement.owner_county).where(Announcement.ref == ref)
        ).one_or_none()
    if corrected is None or not scope.covers_scope(scope_from_columns(*corrected[1:])):
        return everybody.where(false())
    got = select(Recipient.citizen_id).where(
        Recipient.announcement_id == corrected.id, _was_processed()
    )
    return everybody.where(everybody.selected_columns[0].in_(got))


def _was_processed() -> ColumnElement[bool]:
    untouched = (RecipientState.QUEUED, RecipientState.CANCELLED)
    tried = exists().where(SendTry.recipient_id == Recipient.id)
    return or_(Recipient.state.not_in(untouched), tried)


def _select_nobody() -> Select[Any]:
    return select(Recipient.citizen_id).where(false())
