"""Creates the people of the demo's season in the emulated WeChat, through its control endpoint."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

from server.app import Application
from server.base.templates import template_id_of
from server.demo.season_people import SCENE, SeasonPerson

SEED = "season"
_EMULATOR_SECONDS = 30
# The templates of the grants: the daily reminder, and announcements for every third person.
REMINDER, ANNOUNCEMENT = "quiz-daily", "announcement"
_ANNOUNCED_EVERY = 3


@dataclass(frozen=True, kw_only=True)
class WeChatPerson:
    """A person as the emulated WeChat knows them."""

    openid_official: str
    openid_mini: str
    unionid: str


def settle_in_wechat(
    application: Application, people: Sequence[SeasonPerson]
) -> list[WeChatPerson]:
    """Create the people in the emulated WeChat, through its control endpoint."""
    wished = [_wishes_of(n, one) for n, one in enumerate(people)]
    address = f"http://127.0.0.1:{application.settings.emulator_port}/_emu/population"
    found: list[WeChatPerson] = []
    for first in range(0, len(wished), 500):
        body = {"seed": SEED, "first": first, "people": wished[first : first + 500]}
        asked = urllib.request.Request(
            address, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=_EMULATOR_SECONDS) as answer:  # noqa: S310 - loopback
            found += [
                WeChatPerson(
                    openid_official=one["openid_oa"],
                    openid_mini=one["openid_mp"],
                    unionid=one["unionid"],
                )
                for one in json.load(answer)["items"]
            ]
    return found


def _wishes_of(number: int, person: SeasonPerson) -> dict[str, object]:
    wish: dict[str, object] = {"name": person.name}
    if person.followed_at is not None and person.left_at is None:
        wish |= {"followed_at": person.followed_at.timestamp(), "scene": SCENE}
    if person.logged_in_at is not None:
        wish["used_at"] = person.logged_in_at.timestamp()
    granted = count_grants(number, person)
    if granted:
        wish["grants"] = {template_id_of(slug): count for slug, count in granted.items()}
    return wish


def count_grants(number: int, person: SeasonPerson) -> dict[str, int]:
    """The messages that a person has granted, by the template's slug."""
    counts = {REMINDER: person.grants, ANNOUNCEMENT: int(number % _ANNOUNCED_EVERY == 0)}
    return {slug: n for slug, n in counts.items() if n and person.logged_in_at is not None}
