"""Letters of the tests: a table with the columns of an outbox row, and what reaches the outside."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from server.base.jobs import TaskContext
from server.base.outbox import begin_calls, lease_due, settle_calls
from server.base.outbox_rows import Call, Done, Outcome, Outgoing, Queue, outbox_index
from server.base.sql.tables import NAMES, BigId
from server.base.uow import UnitOfWork, UnitOfWorkFactory


class _Base(DeclarativeBase):
    """Apart from the tables of the house, so that no migration is asked for these."""

    metadata = MetaData(naming_convention=NAMES)


class Letter(Outgoing, _Base):
    """A word to be called out."""

    __tablename__ = "letter_of_the_tests"
    __table_args__ = (outbox_index("letter_of_the_tests"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    text: Mapped[str] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(String(40), default="")


class NoChance(random.Random):
    """Chance that adds no jitter."""

    def random(self) -> float:
        return 0.0


def without_jitter(uow_factory: UnitOfWorkFactory) -> UnitOfWorkFactory:
    """The same database with back-offs that tests can count."""
    return UnitOfWorkFactory(
        uow_factory.engine, replace(uow_factory.dependencies, random=NoChance())
    )


@contextmanager
def letters_table(uow_factory: UnitOfWorkFactory) -> Iterator[None]:
    _Base.metadata.drop_all(uow_factory.engine)
    _Base.metadata.create_all(uow_factory.engine)
    yield
    _Base.metadata.drop_all(uow_factory.engine)


def post(uow_factory: UnitOfWorkFactory, *texts: str) -> None:
    for text in texts:
        with uow_factory.begin() as uow:
            letter = Letter(text=text)
            letter.enqueue_again(uow.now)
            uow.session.add(letter)


def letters(uow_factory: UnitOfWorkFactory) -> list[Letter]:
    with uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(select(Letter).order_by(Letter.id)))


def states(uow_factory: UnitOfWorkFactory) -> list[str]:
    return [str(row.outbox_state) for row in letters(uow_factory)]


def a_queue(send: Callable[[TaskContext, Any], Outcome], **more: Any) -> Queue:
    given: dict[str, Any] = {"settle": note_outcome, "prepare": read_text, **more}
    return Queue(name="letters", task="tests.letters", table=Letter, send=send, **given)


def read_text(_work: UnitOfWork, row: Letter) -> str:
    return row.text


def note_outcome(_work: UnitOfWork, row: Letter, outcome: Outcome) -> None:
    row.note = f"{row.note}{outcome.result}" if isinstance(outcome, Done) else row.note


def write_line(path: Path, text: str) -> None:
    """What the outside has heard, kept whatever happens to the process."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text + "\n")


def claim_one(uow_factory: UnitOfWorkFactory, queue: Queue) -> Call | None:
    """The oldest due row claimed, as by a worker that is about to make its call."""
    with uow_factory.begin() as uow:
        for claim in lease_due(uow, queue, 1):
            for call in begin_calls(uow, queue, [claim]).calls:
                return call
    return None


def settle_one(uow_factory: UnitOfWorkFactory, queue: Queue, call: Call, outcome: Outcome) -> int:
    """Write down how a call ended; how many rows that moved."""
    with uow_factory.begin() as uow:
        return settle_calls(uow, queue, [(call.claim, outcome)]).moved
