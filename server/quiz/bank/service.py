"""Cache of the question bank: reloaded after each change, with every version by its number.

A paper refers to the versions it was dealt; only live versions are drawn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select, update

from server.base.access import Organizer
from server.base.ownership import writable_by
from server.base.sql.prepared import run_statement
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork
from server.quiz import models
from server.quiz.bank.drawing import Item, ItemPicture, fits_part
from server.quiz.bank.pictures import picture_path
from server.quiz.enums import QuestionState
from server.quiz.rules import Part


@dataclass(frozen=True, kw_only=True)
class LoadedBank:
    """One state of a bank."""

    slug: str
    revision: str
    by_id: Mapping[int, Item]
    live: Sequence[Item]
    _pools: dict[tuple[Part, frozenset[str]], Sequence[Item]] = field(default_factory=dict)

    def pool_for_part(self, part: Part, left_out: frozenset[str] = frozenset()) -> Sequence[Item]:
        """The live questions that fit a part of a blueprint, except those left out."""
        found = self._pools.get((part, left_out))
        if found is None:
            found = [
                item for item in self.live if fits_part(item, part) and item.ref not in left_out
            ]
            self._pools[part, left_out] = found
        return found


_bank, _question = table_of(models.Bank), table_of(models.Question)
_REVISION = select(_bank.c.revision).where(_bank.c.slug == bindparam("of_slug"))
_NAMES = (
    "id",
    "ref",
    "kind",
    "topic",
    "benchmark_no",
    "difficulty",
    "audience",
    "stem",
    "options",
    "answer",
    "explanation",
)
_picture = table_of(models.QuestionPicture)
_QUESTIONS = (
    select(
        *(_question.c[name] for name in (*_NAMES, "state", "picture", "picture_alt")),
        _picture.c.width,
        _picture.c.height,
    )
    .select_from(_question.outerjoin(_picture, _picture.c.name == _question.c.picture))
    .where(_question.c.bank == bindparam("of_slug"))
    .order_by(_question.c.id)
)
# A revision id is never reused, so a cached copy is either right or unused.
_kept: dict[str, LoadedBank] = {}
# At most this many banks are cached; there are fewer places with a bank of their own.
_MOST_KEPT = 1000


def revision_of(uow: UnitOfWork, slug: str) -> str | None:
    """The revision of a bank's current state; None when the bank does not exist."""
    revision: str | None = run_statement(uow, _REVISION, {"of_slug": slug}).first_value()
    return revision


def bank_of(uow: UnitOfWork, slug: str, revision: str | None = None) -> LoadedBank:
    """The current bank; pass `revision` if it has just been read."""
    revision = revision or revision_of(uow, slug) or ""
    found = _kept.get(revision)
    if found is None:
        found = _read_bank(uow, slug, revision)
        # Running requests may still use the newest older state; those before it are dropped.
        older = [key for key, kept in list(_kept.items()) if kept.slug == slug]
        for key in older[:-1]:
            _kept.pop(key, None)
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)), None)
        _kept[revision] = found
    return found


def every_bank(uow: UnitOfWork) -> list[LoadedBank]:
    """All banks in their current state."""
    rows = uow.session.execute(select(models.Bank.slug, models.Bank.revision))
    return [bank_of(uow, slug, revision) for slug, revision in rows.all()]


def banks_owned_by(uow: UnitOfWork, scopes: Collection[str]) -> set[str]:
    """The slugs of the banks that belong to one of these spelled scopes."""
    wanted = select(models.Bank.slug).where(models.Bank.owner.in_(scopes))
    return set(uow.session.scalars(wanted))


def every_version(uow: UnitOfWork) -> Mapping[int, Item]:
    """Every version of every question by its number."""
    banks = every_bank(uow)
    if len(banks) == 1:
        return banks[0].by_id
    return {number: item for bank in banks for number, item in bank.by_id.items()}


def renew_revision(uow: UnitOfWork, slug: str) -> None:
    """Set a new revision, in the transaction that changes the bank."""
    renamed = update(models.Bank).where(models.Bank.slug == slug)
    uow.session.execute(renamed.values(revision=uow.new_ref("rev")))


def renew_revision_for(uow: UnitOfWork, organizer: Organizer, slug: str) -> None:
    """Set a new revision of a bank within the organizer's scope."""
    renamed = update(models.Bank).where(models.Bank.slug == slug)
    renamed = renamed.values(revision=uow.new_ref("rev"))
    uow.session.execute(writable_by(renamed, organizer, models.Bank))


def _read_bank(uow: UnitOfWork, slug: str, revision: str) -> LoadedBank:
    by_id: dict[int, Item] = {}
    live: list[Item] = []
    # The cache holds whole banks; a console page shows only what its scope allows.
    base = uow.settings.public_url.rstrip("/")
    for *facts, state, name, alt, width, height in run_statement(
        uow, _QUESTIONS, {"of_slug": slug}
    ):
        picture = None
        if width is not None:
            url = f"{base}{picture_path(name)}"
            picture = ItemPicture(url=url, alt=alt, width=width, height=height)
        item = _item_from_row(picture, *facts)
        by_id[item.id] = item
        if state is QuestionState.LIVE:
            live.append(item)
    return LoadedBank(slug=slug, revision=revision, by_id=by_id, live=live)


def _item_from_row(picture: ItemPicture | None, *facts: object) -> Item:
    named = dict(zip(_NAMES, facts, strict=True))
    named["options"] = tuple(named["options"])  # type: ignore[arg-type]  # a JSON list
    named["answer"] = tuple(named["answer"])  # type: ignore[arg-type]  # a JSON list
    return Item(picture=picture, **named)  # type: ignore[arg-type]  # columns of the same names and types
