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

from server.base.jobs import Shop
from server.base.outbox_rows import Done, Outcome, Outgoing, Queue, outbox_index
from server.base.tables import NAMES, BigId
from server.base.work import Desk, Work


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


def without_jitter(desk: Desk) -> Desk:
    """The same database with back-offs that tests can count."""
    return Desk(desk.engine, replace(desk.tools, random=NoChance()))


@contextmanager
def letters_table(desk: Desk) -> Iterator[None]:
    _Base.metadata.drop_all(desk.engine)
    _Base.metadata.create_all(desk.engine)
    yield
    _Base.metadata.drop_all(desk.engine)


def post(desk: Desk, *texts: str) -> None:
    for text in texts:
        with desk.work() as work:
            letter = Letter(text=text)
            letter.enqueue(work.now)
            work.session.add(letter)


def letters(desk: Desk) -> list[Letter]:
    with desk.work(read_only=True) as work:
        return list(work.session.scalars(select(Letter).order_by(Letter.id)))


def states(desk: Desk) -> list[str]:
    return [str(row.outbox_state) for row in letters(desk)]


def a_queue(send: Callable[[Shop, Any], Outcome], **more: Any) -> Queue:
    given: dict[str, Any] = {"settle": note_outcome, "prepare": read_text, **more}
    return Queue(name="letters", task="tests.letters", table=Letter, send=send, **given)


def read_text(_work: Work, row: Letter) -> str:
    return row.text


def note_outcome(_work: Work, row: Letter, outcome: Outcome) -> None:
    row.note = f"{row.note}{outcome.result}" if isinstance(outcome, Done) else row.note


def write_line(path: Path, text: str) -> None:
    """What the outside has heard, kept whatever happens to the process."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text + "\n")
