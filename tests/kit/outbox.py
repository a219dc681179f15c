"""A table for tests with the columns of an outbox row, and a record of the calls that were made."""

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
    """Separate from the product's tables, so that these need no migration."""

    metadata = MetaData(naming_convention=NAMES)


class Letter(Outgoing, _Base):
    """A text to be sent."""

    __tablename__ = "letter_of_the_tests"
    __table_args__ = (outbox_index("letter_of_the_tests"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    text: Mapped[str] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(String(40), default="")


class NoChance(random.Random):
    """A random source without jitter."""

    def random(self) -> float:
        return 0.0


def without_jitter(uow_factory: UnitOfWorkFactory) -> UnitOfWorkFactory:
    """The same database with back-offs that tests can predict."""
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
    """Append a sent text to a file, so that it survives the process."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text + "\n")


def claim_one(uow_factory: UnitOfWorkFactory, queue: Queue) -> Call | None:
    """Claim the oldest due row, as a worker does before its call."""
    with uow_factory.begin() as uow:
        for claim in lease_due(uow, queue, 1):
            for call in begin_calls(uow, queue, [claim]).calls:
                return call
    return None


def settle_one(uow_factory: UnitOfWorkFactory, queue: Queue, call: Call, outcome: Outcome) -> int:
    """Settle a call with its outcome; return how many rows changed."""
    with uow_factory.begin() as uow:
        return settle_calls(uow, queue, [(call.claim, outcome)]).moved
