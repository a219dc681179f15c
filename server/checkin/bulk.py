"""Many past admissions to one activity, and its feedback, for the sample data of the demo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.activities import service as activities
from server.base.sql.tables import insert_rows
from server.base.uow import UnitOfWork
from server.checkin import store
from server.checkin.book import close_book, open_book
from server.checkin.feedback_models import ActivityFeedback, WordsCheck
from server.checkin.kinds import AdmissionWay
from server.checkin.rules import Passage
from server.checkin.scanning import pass_ticket


@dataclass(frozen=True, kw_only=True, slots=True)
class PastAdmission:
    """People of a sign-up who came; `nonce` is that of the scan."""

    signup_id: int
    nonce: str
    at: datetime
    way: AdmissionWay
    gate: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PastFeedback:
    """The rating and the words of a citizen who came."""

    citizen_id: int
    rating: int
    words: str
    at: datetime


def add_feedback(uow: UnitOfWork, activity_id: int, given: Sequence[PastFeedback]) -> None:
    """Insert feedback of people who came, in one statement; there is none of theirs before."""
    rows = [
        {
            "activity_id": activity_id,
            "citizen_id": one.citizen_id,
            "rating": one.rating,
            "words": one.words,
            "words_check": WordsCheck.PASSED,
            "made_at": one.at,
        }
        for one in given
    ]
    insert_rows(uow.session, ActivityFeedback, rows)


def add_admissions(uow: UnitOfWork, activity_id: int, came: Sequence[PastAdmission]) -> None:
    """Admit people of confirmed sign-ups at past instants, in one transaction.

    Locks: the activity, the sign-ups, the hall.
    Raises: NotFound (404).
    """
    gate = activities.gate_of(uow, activity_id)
    store.open_hall(uow, activity_id)
    book = open_book(uow, gate, [one.signup_id for one in came])
    for one in came:
        passage = Passage(
            nonce=one.nonce, at=one.at, device_at=one.at, inward=True, way=one.way, gate=one.gate
        )
        pass_ticket(uow, book, passage, book.tickets[one.signup_id])
    close_book(uow, book)
