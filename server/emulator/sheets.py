"""Stored answers of a person on WeChat's own sheets and settings.

Source: "wx.requestSubscribeMessage", "wx.getSetting", "Privacy authorization".
"""

from __future__ import annotations

from typing import Any

from . import grants, people
from .people import Person, RefusedError
from .templates import Template
from .world import World

MOST_TEMPLATES = 5
KEPT, MAIN_SWITCH, PRIVACY = "subscribe:", "main-switch", "privacy"


def ask_sheet(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Open the subscription sheet: return the templates to show, and those settled already.

    With a `place` it is the sheet of the official account's notices, by default with all of them.
    Raises: LookupError without a person; RefusedError with WeChat's number when no sheet is shown.
    """
    person = people.find_person(world, str(body.get("person")))
    known = world.official_notices if body.get("place") else world.templates
    wishes = body.get("templates")
    if wishes is None and body.get("place"):
        wishes = list(known)[:MOST_TEMPLATES]
    _check_wishes(world, known, person, wishes)
    kept, results, shown, titles = _kept_choices(world, person), {}, [], set()
    for template in (known[wish] for wish in wishes or ()):
        if template.id in world.banned:
            results[template.id] = "ban"
        elif template.title in titles:
            results[template.id] = "filter"
        elif template.id in kept:
            results[template.id] = kept[template.id]
        else:
            shown.append({"id": template.id, "title": template.title, "names": template.names})
        titles.add(template.title)
    return {"templates": shown, "results": results}


def settle_choices(world: World, person: Person, results: dict[str, Any], *, keep: bool) -> None:
    """Store answers that are to be kept; an accept removes an earlier refusal in the settings."""
    for template, answer in results.items():
        agreed = answer.startswith(grants.YES)
        if keep and (agreed or answer == "reject"):
            _store_choice(world, person, KEPT + template, answer)
        elif agreed and _read_choice(world, person, KEPT + template) == "reject":
            _forget_choice(world, person, KEPT + template)


def turn_off(world: World, person: Person, template: str) -> None:
    """Store a refusal of the template, so that the next sheet refuses it without asking."""
    _store_choice(world, person, KEPT + template, "reject")


def review_nickname(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Check a name as WeChat's nickname keyboard does; a name that fails is removed from the field.

    Raises: LookupError; ValueError for no text. Source: input, type="nickname", from 2.24.4.
    """
    people.find_person(world, str(body.get("person")))
    name = body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ValueError("a nickname is a text")
    suggest, _label = world.judge_text(name)
    return {"name": name, "pass": suggest == "pass"}


def show_settings(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Return the person's subscription settings; `main_switch` changes the global switch."""
    person = people.find_person(world, str(body.get("person")))
    if "main_switch" in body:
        _store_choice(world, person, MAIN_SWITCH, "on" if body["main_switch"] else "off")
    kept = _kept_choices(world, person)
    return {
        "main_switch": _read_choice(world, person, MAIN_SWITCH) != "off",
        "kept": {t: "ban" if t in world.banned else answer for t, answer in kept.items()},
        "templates": [
            {
                "id": template.id,
                "title": template.title,
                "grants": grants.count_grants(world, person.openid_mp, template.id),
            }
            for template in world.templates.values()
        ],
    }


def show_privacy(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Return whether the person agreed to the privacy guidelines; `agreed` stores the answer."""
    person = people.find_person(world, str(body.get("person")))
    if body.get("agreed") is True:
        _store_choice(world, person, PRIVACY, "agreed")
    elif body.get("agreed") is False:
        _forget_choice(world, person, PRIVACY)
    return {"agreed": _read_choice(world, person, PRIVACY) == "agreed"}


def _check_wishes(world: World, known: dict[str, Template], person: Person, wishes: object) -> None:
    if not isinstance(wishes, list) or not wishes:
        raise RefusedError(10001, "TmplIds can't be empty")
    if len(wishes) > MOST_TEMPLATES:
        raise RefusedError(20003, "Templates count out of max bounds")
    if not all(isinstance(wish, str) and wish in known for wish in wishes):
        raise RefusedError(20001, "No template data return, verify the template id exist")
    if _read_choice(world, person, MAIN_SWITCH) == "off":
        raise RefusedError(20004, "The main switch is switched off")


def _kept_choices(world: World, person: Person) -> dict[str, str]:
    sql = "SELECT name, value FROM choices WHERE person = ? AND name LIKE ?"
    rows = world.store.all_rows(sql, person.person, f"{KEPT}%")
    return {row["name"].removeprefix(KEPT): row["value"] for row in rows}


def _read_choice(world: World, person: Person, name: str) -> str | None:
    sql = "SELECT value FROM choices WHERE person = ? AND name = ?"
    row = world.store.first_row(sql, person.person, name)
    return None if row is None else str(row["value"])


def _store_choice(world: World, person: Person, name: str, value: str) -> None:
    sql = "INSERT OR REPLACE INTO choices (person, name, value) VALUES (?, ?, ?)"
    world.store.run_sql(sql, person.person, name, value)


def _forget_choice(world: World, person: Person, name: str) -> None:
    sql = "DELETE FROM choices WHERE person = ? AND name = ?"
    world.store.run_sql(sql, person.person, name)
