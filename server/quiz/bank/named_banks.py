"""The banks of a place: its own one, and others with a title, for example for one contest."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from server.audit.service import declare_names
from server.base.access import Organizer, Scope
from server.base.ownership import serving_found_row, visible_to, writable_by
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused
from server.quiz.bank.places import bank_slug
from server.quiz.models import Bank
from server.units import service as units

# The choice of a form that makes a new bank.
NEW = "new"
# Prefix of the slugs of banks with a title.
TITLED = "bnk-"


@dataclass(frozen=True, kw_only=True)
class BankChoice:
    """The bank that questions are stored in; one that does not exist is made with its title."""

    slug: str
    title: str = ""


def own_bank(scope: Scope) -> BankChoice:
    """The bank of a place."""
    return BankChoice(slug=bank_slug(scope))


def name_bank(uow: UnitOfWork, organizer: Organizer, slug: str) -> str:
    """A bank in words: its title and its place; its slug where the organizer sees none."""
    asked = visible_to(select(Bank).where(Bank.slug == slug), organizer, Bank)
    row: Bank | None = uow.session.scalar(asked)
    return slug if row is None else _spell_bank(uow, row.owner, row.title)


def find_bank_name(uow: UnitOfWork, slug: str) -> str | None:
    """The name of the bank with this slug, for the history of an object; None if unknown."""
    with serving_found_row(uow.session):
        row = uow.session.scalar(select(Bank).where(Bank.slug == slug))
        return None if row is None else _spell_bank(uow, row.owner, row.title)


declare_names("quiz", "bank", find_bank_name)


def _spell_bank(uow: UnitOfWork, owner: str, title: str) -> str:
    place = name_place(uow, owner) or owner
    key = "quiz.contest.bank_titled" if title else "quiz.contest.bank_of"
    return uow.texts.fill_text(key, place=place, title=title)


def name_place(uow: UnitOfWork, owner: str) -> str | None:
    """The name of a place; None for a unit that was removed."""
    kind, _, number = owner.partition(":")
    if kind != "unit":
        return units.resolve_scope(uow, owner)[1]
    unit = units.unit_by_id(uow, int(number))
    return None if unit is None else unit.name


def list_own_banks(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """Slug and name of each bank of exactly the organizer's place, its own one first."""
    own = bank_slug(organizer.scope)
    asked = select(Bank).where(Bank.owner == organizer.scope.spelled, Bank.slug != own)
    asked = writable_by(asked, organizer, Bank)
    rows = uow.session.scalars(asked.order_by(Bank.title)).all()
    named = [(row.slug, _spell_bank(uow, row.owner, row.title or row.slug)) for row in rows]
    return [(own, _spell_bank(uow, organizer.scope.spelled, "")), *named]


def list_writable_banks(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """Slug and name of each bank that the organizer may write: its place first, then places below.

    The bank of the organizer's place is the first, also before it exists.
    """
    own = list_own_banks(uow, organizer)
    below = writable_by(select(Bank), organizer, Bank)
    below = below.where(Bank.owner != organizer.scope.spelled).order_by(Bank.owner, Bank.title)
    rows = uow.session.scalars(below).all()
    return [*own, *((row.slug, _spell_bank(uow, row.owner, row.title)) for row in rows)]


def check_writable(uow: UnitOfWork, organizer: Organizer, slug: str) -> str:
    """The chosen bank of a new question.

    Raises: FieldRefused for one that the organizer may not write.
    """
    if slug not in dict(list_writable_banks(uow, organizer)):
        raise FieldRefused("bank", "console.form.no_choice")
    return slug


def choose_bank(uow: UnitOfWork, organizer: Organizer, chosen: str, title: str) -> BankChoice:
    """The bank of a form: one of the place, or a new one with a title.

    A title asks for a new bank even while the place's own bank, the first choice of the list, is
    selected: otherwise the questions of one contest would be stored among those of the place.
    Raises: FieldRefused for a title that is missing, taken, or given beside another bank.
    """
    own = bank_slug(organizer.scope)
    if chosen != NEW and not (title and chosen == own):
        if chosen not in dict(list_own_banks(uow, organizer)):
            raise FieldRefused("bank", "console.form.no_choice")
        if title:
            raise FieldRefused("new_bank", "quiz.bank_form.new_bank_beside")
        return BankChoice(slug=chosen)
    if not title:
        raise FieldRefused("new_bank", "quiz.bank_form.new_bank_missing")
    same = select(Bank.slug).where(Bank.owner == organizer.scope.spelled, Bank.title == title)
    if uow.session.scalar(writable_by(same, organizer, Bank)) is not None:
        raise FieldRefused("new_bank", "quiz.bank_form.new_bank_taken")
    return BankChoice(slug=f"{TITLED}{uow.new_ref('bnk').partition('_')[2]}", title=title)
