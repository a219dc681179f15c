"""Pushes WeChat's reports on sends, as the instructions of `receipt_orders` say."""

from __future__ import annotations

from typing import Any

from . import letters, people, push
from .letters import Letter
from .receipt_orders import (
    DROP,
    DUPLICATE,
    EARLY,
    EVENTS,
    HOLD,
    MANNERS,
    SENT,
    SUCCESS,
    TEMPLATE,
    USUAL,
    Manner,
    Work,
)
from .wechat_api.common import Receipt
from .world import World

KNOWN = {"event", "manner", "openid", "count", "delay_s", "status"}
MOST_STRAY = 10_000


def plan_receipt(world: World, receipt: Receipt) -> None:
    """Push a report as its manner says; `early` is pushed before the caller has its answer."""
    manner, deliver = receipt.manner.manner, _delivering(world, receipt.letter)
    if manner == DROP:
        return
    if manner == HOLD:
        world.receipts.hold_push(deliver)
        return
    if manner == EARLY:
        deliver()
        return
    between = world.settings.sent_event_s
    if between is None:
        return
    for _ in range(2 if manner == DUPLICATE else 1):
        delay = world.chance.uniform(*between) + receipt.manner.delay_s
        world.later.run_after(delay, deliver)


def order_receipts(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """The control endpoint: instruct (`event`, `manner`), `release`, `lift`, or invent (`stray`).

    Raises: ValueError for an unknown instruction; LookupError for an unknown person.
    """
    if body.get("release"):
        return _release_held(world, shuffle=bool(body.get("shuffle")))
    if body.get("lift"):
        world.receipts.forget_all()
        return world.receipts.show_state()
    if body.get("event") not in EVENTS:
        raise ValueError(f"a report's event is one of {EVENTS}")
    if "stray" in body:
        return _push_stray(world, body)
    if not body.keys() <= KNOWN or body.get("manner", USUAL) not in MANNERS:
        raise ValueError(f"reports know {sorted(KNOWN)}; a manner is one of {MANNERS}")
    count, delay = body.get("count"), body.get("delay_s", 0)
    if type(delay) not in (int, float) or delay < 0 or not (count is None or type(count) is int):
        raise ValueError("count is a whole number, delay_s seconds")
    world.receipts.add_order(Manner(**body))
    return world.receipts.show_state()


def show_receipts(world: World) -> dict[str, Any]:
    """List the instructions."""
    return world.receipts.show_state()


def _release_held(world: World, *, shuffle: bool) -> dict[str, Any]:
    held = world.receipts.take_held()
    if shuffle:
        world.chance.shuffle(held)
    for deliver in held:
        world.later.run_after(0.0, deliver)
    return {"released": len(held)}


def _delivering(world: World, letter: Letter) -> Work:
    return lambda: push.deliver_letter(world, letter)


def _push_stray(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Push reports about messages that were never sent by these apps."""
    person = people.find_person(world, str(body.get("person")))
    number, event = body["stray"], body["event"]
    if type(number) is not int or not 1 <= number <= MOST_STRAY:
        raise ValueError(f"stray is a number from 1 to {MOST_STRAY}")
    for _ in range(number):
        msgid = world.random_number64()
        if event == TEMPLATE:
            letter = letters.template_receipt(world, person.openid_oa, msgid, SUCCESS)
        elif event == SENT:
            template = next(iter(world.templates))
            letter = letters.sent_event(world, world.mini, person.openid_mp, (template, msgid))
        else:
            letter = letters.mass_receipt(world, msgid, "send success", (2, 2, 2, 0))
        world.later.run_after(0.0, _delivering(world, letter))
    return {"pushed": number}
