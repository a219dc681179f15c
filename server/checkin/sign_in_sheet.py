"""The printed list on which people sign at the entrance, for halls without network or phones.

It has whole names, because people look for their own name on it; therefore printing it is recorded
with a reason, and it has only the last four digits of a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.accounts import service as accounts
from server.activities import service as activities
from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.clock import BEIJING, beijing_day, say_instant
from server.base.jobs import TaskContext
from server.base.ownership import guard_session, scope_of, serving_found_row
from server.base.pdf.sheets import MEDIA, Align, Report, SheetColumn, SheetHead, draw_sheet
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.checkin import desk
from server.checkin.desk import PartyLine
from server.console.long_jobs import JobResult, JobRun, LongJob, start_job
from server.signups import service as signups
from server.signups.service import SignUp

# Empty lines for people who come without having signed up.
FREE_LINES = 15


@dataclass(frozen=True, kw_only=True)
class SignInRow:
    """One party on the sheet."""

    name: str
    phone_tail: str
    people: int
    group: str
    arrived: str


@dataclass(frozen=True, kw_only=True)
class SignInSheet:
    """The content of the sheet."""

    head: SheetHead
    columns: Sequence[SheetColumn]
    rows: Sequence[SignInRow]


def begin_printing(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> str:
    """Queue the drawing of an activity's sheet; return the public id of the job.

    Raises: NotFound (404).
    """
    activity = activities.own_activity(uow, organizer, ref)
    subject = Subject("activity", ref, scope_of(activity))
    record_change(uow, organizer, "checkin.print_sheet", subject, reason=reason)
    facts = {"title": activity.title}
    return start_job(uow, organizer, SHEET_JOB, {"activity": ref}, title_facts=facts)


def _run_printing(context: TaskContext, job: JobRun) -> JobResult:
    """Read the people, then draw them outside of the transaction."""
    with context.uow_factory.begin(read_only=True) as uow:
        guard_session(uow.session, job.organizer)
        sheet = read_sheet(uow, job.organizer, job.arguments["activity"])
        day = f"{beijing_day(uow.now):%Y%m%d}"
        name = uow.texts.fill_text("checkin.sheet.file", title=sheet.head.title, day=day)
    return JobResult(
        said="checkin.sheet.done",
        facts={"count": sum(row.people for row in sheet.rows)},
        file_name=name,
        media=MEDIA,
        content=draw_rows(sheet, job.report_progress),
    )


SHEET_JOB = LongJob(
    name="checkin.print_sheet", title="checkin.sheet.job", run=_run_printing, cancellable=True
)
JOBS = (SHEET_JOB,)


def read_sheet(uow: UnitOfWork, organizer: Organizer, ref: str) -> SignInSheet:
    """The sheet of an activity of the organizer's place.

    Raises: NotFound (404).
    """
    activity = activities.own_activity(uow, organizer, ref)
    asked = desk.select_parties(organizer).where(activities.has_ref(ref))
    with serving_found_row(uow.session):
        lines = desk.describe_parties(uow, list(uow.session.scalars(asked)))
        rows = _describe_rows(uow, lines)
    say = uow.texts.fill_text
    starts = activity.starts_at.astimezone(BEIJING)
    head = SheetHead(
        title=say("checkin.sheet.title", title=activity.title),
        lines=(
            say("checkin.sheet.when", when=f"{starts:%Y-%m-%d %H:%M}", where=activity.venue),
            say(
                "checkin.sheet.counted",
                parties=len(rows),
                people=sum(row.people for row in rows),
                at=say_instant(uow.now)[:16],
            ),
            say("checkin.sheet.care"),
        ),
        foot=uow.texts.fill_text("checkin.sheet.foot", page="{page}", pages="{pages}"),
        made_at=uow.now,
    )
    return SignInSheet(head=head, columns=_name_columns(uow.texts), rows=rows)


def draw_rows(sheet: SignInSheet, report: Report) -> bytes:
    """Draw the sheet, with empty lines at its end."""
    drawn: list[tuple[str, ...]] = [
        (str(number), row.name, row.phone_tail, str(row.people), row.group, row.arrived, "")
        for number, row in enumerate(sheet.rows, 1)
    ]
    drawn += [("",) * len(sheet.columns)] * FREE_LINES
    return draw_sheet(sheet.head, sheet.columns, drawn, report)


def _name_columns(texts: Texts) -> list[SheetColumn]:
    shares = (
        ("checkin.sheet.number", 5, Align.CENTRE),
        ("checkin.sheet.name", 16, Align.LEFT),
        ("checkin.sheet.phone", 9, Align.CENTRE),
        ("checkin.sheet.people", 6, Align.CENTRE),
        ("checkin.sheet.group", 19, Align.LEFT),
        ("checkin.sheet.arrived", 9, Align.CENTRE),
        ("checkin.sheet.signature", 18, Align.LEFT),
    )
    return [
        SheetColumn(title=texts.fill_text(key), share=share, align=align)
        for key, share, align in shares
    ]


def _describe_rows(uow: UnitOfWork, lines: Sequence[PartyLine]) -> list[SignInRow]:
    """Parties by name, groups together and last."""
    people = accounts.names_of(
        uow, [line.row.citizen_id for line in lines if line.row.citizen_id is not None]
    )
    shown = {citizen_id: name.shown for citizen_id, name in people.items()}
    nameless = uow.texts.fill_text("checkin.sheet.nameless")
    rows = [
        SignInRow(
            name=_whole_name(uow, line.row, shown) or nameless,
            phone_tail=line.row.phone_tail or "",
            people=line.row.party_size,
            group=line.row.group_label or "",
            arrived=_say_arrival(line),
        )
        for line in lines
    ]
    return sorted(rows, key=lambda row: (row.group, _order_name(row.name), row.phone_tail))


def _whole_name(uow: UnitOfWork, row: SignUp, shown: dict[int, str]) -> str:
    typed = signups.name_on_signup(uow, row)
    return typed or ("" if row.citizen_id is None else shown[row.citizen_id])


def _say_arrival(line: PartyLine) -> str:
    at = line.first_in_at
    return "" if at is None else f"{at.astimezone(BEIJING):%H:%M}"


def _order_name(name: str) -> bytes:
    """The order of Chinese names: the common characters of GB 18030 are ordered by Pinyin."""
    return name.encode("gb18030", "replace")
