"""Commands that change what organizers own are entries of the trail; a repeat is none."""

from __future__ import annotations

from sqlalchemy import select

from server.audit.models import AuditRecord
from server.base.uow import UnitOfWorkFactory
from server.channel import commands as channel
from server.programme import commands as programme
from server.quiz.bank.commands import import_questions
from server.quiz.contests import commands as quiz
from tests.kit.paths import ROOT

FACTS = ROOT / "config" / "campaign" / "2020"


def run_all(uow_factory: UnitOfWorkFactory) -> None:
    assert programme.load_campaign(uow_factory, FACTS / "campaign.json", shift=True).ok
    assert import_questions(uow_factory, FACTS / "questions.csv").ok
    quiz.open_demo_contest(uow_factory)
    quiz.open_programme_contest(uow_factory, slug="second")
    channel.seed_replies(uow_factory)


def entries(uow_factory: UnitOfWorkFactory) -> list[tuple[str, str]]:
    with uow_factory.begin(read_only=True) as uow:
        rows = uow.session.scalars(select(AuditRecord).order_by(AuditRecord.number))
        return [(row.organizer_name, row.act) for row in rows]


def test_every_command_names_itself_and_a_repeat_changes_and_says_nothing(
    uow_factory: UnitOfWorkFactory,
) -> None:
    run_all(uow_factory)
    assert entries(uow_factory) == [
        ("load-campaign", "programme.load_campaign"),
        ("import-questions", "quiz.import_questions"),
        ("demo", "quiz.open_contest"),
        ("open-contest", "quiz.open_contest"),
        ("seed-replies", "channel.seed_replies"),
    ]
    run_all(uow_factory)
    assert len(entries(uow_factory)) == 5
