"""Picture check: fetch the address, and push the verdict later as an event.

Source: "Content security", mediaCheckAsync and wxa_media_check. People whose name contains
`[risky]` or `[review]` get that verdict, as texts with these marks do. Only loopback addresses are
fetched; others fail.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from . import people, push
from .letters import media_event
from .people import Person
from .wechat_api.common import ONLY_MINI, ApiError, Call, Endpoint, ok_answer
from .wechat_api.wxa import check_openid
from .world import World

LOOPBACK = ("127.0.0.1", "localhost", "::1")
BIGGEST, NOT_FETCHED = 10 * 2**20, -1008
AUDIO, PICTURE = 1, 2
STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM")


def check_media(world: World, call: Call) -> dict[str, Any]:
    """Accept a picture's address and return the trace_id that the event will carry."""
    if call.body.get("version") != 2:
        raise ApiError(40097, "version")
    if call.body.get("scene") not in (1, 2, 3, 4):
        raise ApiError(40129)
    if call.body.get("media_type") not in (AUDIO, PICTURE):
        raise ApiError(40097, "media_type")
    address = call.text_field("media_url", missing=40097)
    person = check_openid(world, call.body.get("openid"))
    trace = world.new_request_id()
    between = world.settings.sent_event_s
    if between is not None:
        world.later.run_after(
            world.chance.uniform(*between), lambda: tell_verdict(world, person, address, trace)
        )
    return ok_answer(trace_id=trace)


def tell_verdict(world: World, person: Person, address: str, trace: str) -> None:
    """Fetch the address and push the verdict."""
    errcode = 0 if _can_fetch(world, address) else NOT_FETCHED
    named = people.find_person(world, person.person).name
    push.deliver_letter(world, media_event(world, trace, errcode, world.judge_text(named)))


def _can_fetch(world: World, address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        return False
    outcome = world.sender("GET", address, b"", "", world.settings.deadline_s)
    return outcome.status == 200 and outcome.body.startswith(STARTS) and len(outcome.body) < BIGGEST


ENDPOINTS = [
    Endpoint(path="/wxa/media_check_async", method="POST", accounts=ONLY_MINI, answer=check_media)
]
