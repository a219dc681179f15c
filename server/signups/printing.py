"""Printed tickets of people without the mini-program: a group, or everybody who was entered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from server.activities import service as activities
from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.clock import BEIJING, beijing_day
from server.base.jobs import TaskContext
from server.base.lettering import fold_text
from server.base.ownership import guard_session, scope_of
from server.base.pdf.codes import draw_code
from server.base.pdf.document import A4_PORTRAIT, PdfDocument
from server.base.pdf.sheets import MEDIA, Report, mark_missing, write_lines
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.console.long_jobs import JobResult, JobRun, LongJob, start_job
from server.signups.contacts import name_on_signup
from server.signups.errors import NothingToPrint
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from server.signups.tickets import spell_ticket

# Units: points. Two columns of four tickets, with a margin that every printer keeps.
_ACROSS, _DOWN = 2, 4
_LEFT, _TOP, _WIDE, _HIGH = 28.0, 34.0, 269.0, 193.0
_CODE = 92.0
_INK, _RULE = (20, 30, 25), (150, 158, 153)


@dataclass(frozen=True, kw_only=True)
class PrintedTicket:
    """The content of one ticket."""

    name: str
    people: str
    group: str
    code: str


@dataclass(frozen=True, kw_only=True)
class TicketSheet:
    """All tickets of a file: the lines about the activity, and the sentence for the entrance.

    `made_at` is the instant that the file names.
    """

    title: str
    made_at: datetime
    when: str
    where: str
    about: str
    tickets: Sequence[PrintedTicket]


def list_groups(uow: UnitOfWork, organizer: Organizer, ref: str) -> list[str]:
    """The names of the groups with seats in an activity of the organizer's place.

    Raises: NotFound (404).
    """
    activity = activities.own_activity(uow, organizer, ref)
    asked = _entered_with_seats(activity.id).with_only_columns(SignUp.group_label).distinct()
    own = activities.restrict_to_own(asked, organizer, SignUp.activity_id)
    return sorted(label for label in uow.session.scalars(own) if label)


def begin_printing(uow: UnitOfWork, organizer: Organizer, ref: str, label: str, reason: str) -> str:
    """Queue the printing of a group's tickets; without a label, of those of all entered people.

    Raises: NotFound (404), NothingToPrint (409).
    """
    activity = activities.own_activity(uow, organizer, ref)
    rows = _read_rows(uow, organizer, activity.id, label)
    if not rows:
        raise NothingToPrint
    record_change(
        uow,
        organizer,
        "signups.print_tickets",
        Subject("activity", ref, scope_of(activity)),
        after={"group": label, "tickets": len(rows)},
        reason=reason,
    )
    given = {"activity": ref, "group": label}
    return start_job(uow, organizer, TICKETS_JOB, given, title_facts={"title": activity.title})


def _run_printing(context: TaskContext, job: JobRun) -> JobResult:
    """Read the tickets, then draw them outside of the transaction."""
    ref, label = job.arguments["activity"], job.arguments["group"]
    with context.uow_factory.begin(read_only=True) as uow:
        guard_session(uow.session, job.organizer)
        sheet = _read_sheet(uow, job.organizer, ref, label)
        name = uow.texts.fill_text(
            "signups.print.file", title=sheet.title, day=f"{beijing_day(uow.now):%Y%m%d}"
        )
    return JobResult(
        said="signups.print.done",
        facts={"count": len(sheet.tickets)},
        file_name=name,
        media=MEDIA,
        content=draw_tickets(sheet, job.report_progress),
    )


TICKETS_JOB = LongJob(
    name="signups.print_tickets",
    title="signups.print.job",
    run=_run_printing,
    cancellable=True,
)
JOBS = (TICKETS_JOB,)


def draw_tickets(sheet: TicketSheet, report: Report) -> bytes:
    """Draw the tickets, eight on a page, with lines to cut along."""
    with PdfDocument(A4_PORTRAIT, title=sheet.title, made_at=sheet.made_at) as document:
        for number, ticket in enumerate(sheet.tickets):
            place = number % (_ACROSS * _DOWN)
            if place == 0 and number > 0:
                document.start_page()
                report(number, len(sheet.tickets))
            left = _LEFT + (place % _ACROSS) * _WIDE
            top = _TOP + (place // _ACROSS) * _HIGH
            _draw_ticket(document, sheet, ticket, (left, top))
        return document.finish_document()


def _draw_ticket(
    document: PdfDocument, sheet: TicketSheet, ticket: PrintedTicket, corner: tuple[float, float]
) -> None:
    left, top = corner
    right, bottom = left + _WIDE, top + _HIGH
    frame = [(left, top), (right, top), (right, bottom), (left, bottom)]
    document.add_polygon(frame, line=_RULE, line_width=0.6)
    draw_code(document, ticket.code, (left + 14, top + 54), _CODE)
    whole, narrow = _WIDE - 24, _WIDE - _CODE - 38
    write_lines(document, _fold_block(sheet.title, 13, 2, whole), (left + 12, top + 10), _INK)
    below = [
        *_fold_block(_space_code(ticket.code), 10, 1, whole),
        *_fold_block(sheet.about, 8, 2, whole),
    ]
    write_lines(document, below, (left + 12, top + 54 + _CODE + 8), _INK)
    beside = [
        *_fold_block(ticket.name, 15, 2, narrow),
        *_fold_block(ticket.group, 9, 2, narrow),
        *_fold_block(ticket.people, 10, 1, narrow),
        *_fold_block(sheet.when, 10, 1, narrow),
        *_fold_block(sheet.where, 9, 2, narrow),
    ]
    write_lines(document, beside, (left + _CODE + 28, top + 50), _INK)


def _fold_block(text: str, size: int, most: int, wide: float) -> list[tuple[str, int]]:
    """At most `most` lines of a text, each with its size; none for an empty one."""
    lines = fold_text(mark_missing(text), size, most, wide=wide) if text else []
    return [(line, size) for line in lines]


def _space_code(code: str) -> str:
    """A code in groups of five, to be read aloud or typed."""
    return " ".join(code[at : at + 5] for at in range(0, len(code), 5))


def _read_sheet(uow: UnitOfWork, organizer: Organizer, ref: str, label: str) -> TicketSheet:
    activity = activities.own_activity(uow, organizer, ref)
    rows = _read_rows(uow, organizer, activity.id, label)
    starts = activity.starts_at.astimezone(BEIJING)
    return TicketSheet(
        title=activity.title,
        made_at=uow.now,
        when=f"{starts:%Y-%m-%d %H:%M}",
        where=" ".join(filter(None, (activity.venue, activity.address))),
        about=uow.texts.fill_text("signups.print.about"),
        tickets=[_describe_ticket(uow, row) for row in rows],
    )


def _describe_ticket(uow: UnitOfWork, row: SignUp) -> PrintedTicket:
    say: Texts = uow.texts
    return PrintedTicket(
        name=name_on_signup(uow, row) or say.fill_text("signups.people.nameless"),
        people=say.fill_text("signups.print.people", count=row.party_size),
        group=row.group_label or "",
        code=spell_ticket(uow.keys, row.id),
    )


def _entered_with_seats(activity_id: int) -> Select[Any]:
    return select(SignUp).where(
        SignUp.activity_id == activity_id,
        SignUp.entered_by.is_not(None),
        SignUp.state == SignUpState.CONFIRMED,
    )


def _read_rows(
    uow: UnitOfWork, organizer: Organizer, activity_id: int, label: str
) -> Sequence[SignUp]:
    asked = _entered_with_seats(activity_id).order_by(SignUp.group_label, SignUp.id)
    if label:
        asked = asked.where(SignUp.group_label == label)
    own = activities.restrict_to_own(asked, organizer, SignUp.activity_id)
    return list(uow.session.scalars(own))
