"""The words for a recipient's placeholders, read for many at once."""

from __future__ import annotations

from collections.abc import Collection

from server.accounts import service as accounts
from server.announcements.rules.contents import Contents
from server.announcements.rules.placeholders import Person, has_placeholders
from server.base.uow import UnitOfWork
from server.units import service as units


def is_personal(contents: Contents) -> bool:
    """Whether a text differs per recipient, so that `load_persons` is needed."""
    templates = (contents.mini_subscription, contents.official_subscription, contents.template)
    texts = [text for one in templates if one is not None for text in one.fields.values()]
    if contents.customer_message is not None:
        texts.append(contents.customer_message.text)
    return any(map(has_placeholders, texts))


def load_persons(uow: UnitOfWork, citizen_ids: Collection[int]) -> dict[int, Person]:
    """Nickname, city and unit of citizens; erased ones are missing.

    The nickname is the checked one, as its owner sees it.
    """
    found = accounts.greetings_of(uow, citizen_ids)
    named = units.units_by_id(uow, {one.unit_id for one in found.values() if one.unit_id})
    return {
        citizen_id: Person(
            name=one.nickname,
            city=None if one.city is None else units.name_place(one.city),
            unit=named[one.unit_id].name if one.unit_id in named else None,
        )
        for citizen_id, one in found.items()
    }
