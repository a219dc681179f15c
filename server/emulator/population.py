"""Many people with their past at once, for a demo in progress."""

from __future__ import annotations

import hashlib
from typing import Any

from . import acts, people
from .apps import LETTERS
from .world import World

_MOST = 1000
_FACTS = {"name", "followed_at", "scene", "used_at", "grants"}


def settle_people(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Create people with their past; the same seed and number always make the same person.

    Person `n` of the list has the number `first` + n. People who exist stay as they are, so the
    call can be repeated. Pushes no event.
    Units: `followed_at` and `used_at` are epoch seconds, absent for people who never did;
    `grants` is the number of messages by template id.
    Raises: ValueError for an unknown fact, or more than 1,000 people; LookupError for an unknown
    template.
    """
    start, first = str(body.get("seed", 0)), int(body.get("first", 0))
    wished = body.get("people")
    if not isinstance(wished, list) or len(wished) > _MOST:
        raise ValueError(f"people is a list of at most {_MOST}")
    for one in wished:
        _check_facts(world, one)
    added, made = 0, []
    with world.store.open_transaction():
        for number, one in enumerate(wished, start=first):
            person = f"person-{start}-{number}"
            added += _settle_person(world, person, one)
            made.append(acts.show_person(people.find_person(world, person)))
    return {"added": added, "items": made}


def _check_facts(world: World, one: object) -> None:
    if not isinstance(one, dict) or not one.keys() <= _FACTS or not one.get("name"):
        raise ValueError(f"a person has a name and any of {sorted(_FACTS)}")
    for template in one.get("grants", {}):
        if template not in world.templates and template not in world.official_notices:
            raise LookupError(f"there is no template {template!r}")


def _settle_person(world: World, person: str, facts: dict[str, Any]) -> int:
    """Insert one person and their grants; return 0 when the person exists."""
    word = _made_up_word(world, person)
    openid_mp = people.openid_of_word(world.mini, word[4:26])
    openid_oa = people.openid_of_word(world.official, word[:22])
    followed_at = facts.get("followed_at")
    added = world.store.run_sql(
        "INSERT OR IGNORE INTO people (person, name, openid_oa, openid_mp, unionid, phone, "
        "subscribed, subscribe_time, subscribe_scene, qr_scene, last_access) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        person,
        str(facts["name"]),
        openid_oa,
        openid_mp,
        f"oU{word[:26]}",
        f"13{int(word[-9:].encode().hex(), 16) % 10**9:09d}",
        int(followed_at is not None),
        None if followed_at is None else int(followed_at),
        _way_of_following(facts),
        str(facts.get("scene") or ""),
        facts.get("used_at"),
    )
    for template, count in facts.get("grants", {}).items() if added else ():
        openid = openid_oa if template in world.official_notices else openid_mp
        world.store.insert_row("grants", openid=openid, template_id=template, count=int(count))
    return added


def _way_of_following(facts: dict[str, Any]) -> str | None:
    if facts.get("followed_at") is None:
        return None
    return "ADD_SCENE_QR_CODE" if facts.get("scene") else "ADD_SCENE_SEARCH"


def _made_up_word(world: World, person: str) -> str:
    digest = hashlib.sha512(f"{world.official.appid}:{person}".encode()).digest()
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest)
