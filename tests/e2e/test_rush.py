"""`rush` against the running demo: everybody logs in, waits for the opening, and signs up."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from server.base.clock import BEIJING, SystemClock
from tests.e2e.outside import Demo

pytestmark = pytest.mark.slow
SHARES_DEMO = True
PEOPLE, SEATS = 40, 10


def test_a_rush_fills_the_seats_once_each_and_tells_what_came_of_it(demo: Demo) -> None:
    now = SystemClock().now().astimezone(BEIJING)
    row = {
        "ref": "rush", "kind": "lecture", "title": "古人怎样看星星", "venue": "广西科技馆",
        "seats": SEATS, "signup_opens_at": (now + timedelta(seconds=8)).isoformat(),
        "starts_at": (now + timedelta(days=3)).isoformat(),
        "signup_closes_at": (now + timedelta(days=3)).isoformat(),
        "ends_at": (now + timedelta(days=3, hours=2)).isoformat(),
    }  # fmt: skip
    file = demo.var / "rush.json"
    file.write_text(json.dumps([row]), encoding="utf-8")
    assert demo.command("import-activities", str(file)).returncode == 0
    played = demo.command("rush", "rush", "--people", str(PEOPLE), "--seconds", "1")
    assert (played.returncode, played.stderr) == (0, "")
    told = [" ".join(line.split()) for line in played.stdout.splitlines()]
    assert f"古人怎样看星星: {PEOPLE} people log in …" in told
    assert f"[{'#' * 40}] {PEOPLE} of {PEOPLE}" in told
    assert told[-7] == f"古人怎样看星星: {SEATS} seats"
    assert told[-6] == f"confirmed {SEATS}"
    assert told[-5] == f"waitlisted {PEOPLE - SEATS} positions 1 to {PEOPLE - SEATS}"
    assert told[-4:-2] == ["entered 0", "refused 0"]
    assert told[-1] == "oversold 0"
    seen = demo.api("GET", "/activities/rush").body
    assert (seen["seats_left"], seen["waitlist_length"]) == (0, PEOPLE - SEATS)


def test_a_rush_for_what_takes_no_sign_ups_says_why(demo: Demo) -> None:
    played = demo.command("rush", "nothing", "--people", "1")
    assert played.returncode == 1
    assert "there is no activity nothing" in played.stderr
