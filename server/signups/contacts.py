"""Names and telephone numbers of people who signed up: sealed, found by a blind index."""

from __future__ import annotations

from dataclasses import dataclass

from server.base.uow import UnitOfWork
from server.signups.models import SignUp

_PURPOSE = "signup phone"


@dataclass(frozen=True, kw_only=True)
class Contact:
    """A name and a telephone number with the country code, each if given."""

    name: str | None = None
    phone: str | None = None


def sealed_contact(uow: UnitOfWork, ref: str, contact: Contact) -> dict[str, str | None]:
    """The columns of a sign-up for its contact."""
    name, phone = contact.name, contact.phone
    return {
        "name": None if name is None else uow.keys.seal_text(name, f"signup.name:{ref}"),
        "phone": None if phone is None else uow.keys.seal_text(phone, f"signup.phone:{ref}"),
        "phone_blind": None if phone is None else blind_phone(uow, phone),
        "phone_tail": None if phone is None else phone[-4:],
    }


def blind_phone(uow: UnitOfWork, phone: str) -> str:
    """The keyed hash under which a number is found."""
    return uow.keys.blind_hash(phone, _PURPOSE)


def unseal_name(uow: UnitOfWork, ref: str, sealed: str | None) -> str | None:
    """The name of a sign-up."""
    return None if sealed is None else uow.keys.unseal_text(sealed, f"signup.name:{ref}")


def name_on_signup(uow: UnitOfWork, signup: SignUp) -> str | None:
    """The name that was given with a sign-up; None without one."""
    return unseal_name(uow, signup.ref, signup.name)


def unseal_phone(uow: UnitOfWork, ref: str, sealed: str | None) -> str | None:
    """The telephone number of a sign-up, with the country code."""
    return None if sealed is None else uow.keys.unseal_text(sealed, f"signup.phone:{ref}")


def mask_name(name: str | None) -> str:
    """The first character of a name, with two asterisks; empty without a name."""
    return f"{name[0]}**" if name else ""
