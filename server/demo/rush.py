"""`python -m server rush`: people sign up for an activity of the running demo as it opens.

They log in before, wait for the opening, and sign up within a minute, most of them in its first
seconds. Nothing is simulated: each has a session of their own, and every call goes over HTTP.
"""

from __future__ import annotations

import secrets
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.app import Application
from server.base.clock import BEIJING
from server.demo.crowd import BUSY, Crowd, DemoAway, Progress
from server.signups import service as signups
from server.signups.service import SignUpState

_LOOK_SECONDS = 0.2
# Half of the people sign up within the first eighth of the time.
_HASTE = 3
_BAR = 40
_WAITING = ("not_open",)
_RUNNING = ("open", "lottery")
_DONE = (200, 201)
_MOST_AGAIN, _AGAIN_SECONDS = 10, 1.0
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class RushResult:
    """The result of a rush.

    Units: `seconds` of each person from the wish to the last answer; `again` counts the tries that
    the server answered as busy, and that were repeated a second later.
    """

    title: str
    seats: int
    places: Counter[str]
    positions: tuple[int, ...]
    refused: Counter[str]
    again: int
    seconds: tuple[float, ...]
    oversold: int

    @property
    def ok(self) -> bool:
        """Whether no seat was given twice, and no two people have one position."""
        return self.oversold == 0 and len(set(self.positions)) == len(self.positions)

    def tell_lines(self) -> list[str]:
        """The result for the person who asked for it."""
        told = [f"{self.title}: {self.seats} seats"]
        told += [f"  {state.value:<12}{self.places[state]:>6,}" for state in _TOLD]
        if self.positions:
            told[2] += f"   positions {self.positions[0]} to {self.positions[-1]}"
        refused = ", ".join(f"{code} {count:,}" for code, count in self.refused.most_common())
        told.append(f"  {'refused':<12}{self.refused.total():>6,}   {refused}".rstrip())
        if self.again:
            told.append(f"  tried again {self.again:>6,}   because the server was busy")
        told.append(
            f"  answered in {find_share(self.seconds, 0.5) * 1000:.0f} ms (p50),"
            f" {find_share(self.seconds, 0.99) * 1000:.0f} ms (p99)"
        )
        told.append(f"  oversold    {self.oversold:>6}")
        return told


_TOLD = (SignUpState.CONFIRMED, SignUpState.WAITLISTED, SignUpState.ENTERED)


@dataclass(frozen=True, kw_only=True)
class _RushAttempt:
    """A person's last answer.  Units: `seconds` from the wish; `again` tries before it."""

    status: int
    body: Any
    seconds: float
    again: int


def play_rush(
    application: Application, ref: str, people: int, seconds: float, say: Say
) -> RushResult:
    """Let people sign up for an activity as it opens; it may be open already.

    Raises: DemoAway when the demo does not run, or the activity takes no sign-ups.
    """
    dependencies = application.uow_factory.dependencies
    crowd = Crowd.of_folder(application.settings.var, dependencies.system_clock)
    title = str(_read_activity(crowd, ref, (*_WAITING, *_RUNNING))["title"])
    say(f"{title}: {people:,} people log in …")
    # New people each time, because those of an earlier rush have signed up already.
    tokens = crowd.log_in(people, f"rush-{secrets.token_hex(4)}", show_progress(say))
    _await_opening(crowd, ref, say)
    say(f"the sign-up is open: {people:,} people within {seconds:.0f} s …")
    chance = dependencies.random
    moments = sorted(seconds * chance.random() ** _HASTE for _ in tokens)
    answers = _sign_up_all(crowd, ref, list(zip(tokens, moments, strict=True)), say)
    return _sum_up(application, ref, title, answers)


def find_share(seconds: Sequence[float], share: float) -> float:
    """The smallest time within which this share was answered; 0 without answers."""
    ordered = sorted(seconds)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def show_progress(say: Say) -> Progress:
    """Show a progress bar on a terminal, and lines elsewhere."""
    moving = sys.stdout.isatty()

    def show_bar(done: int, total: int) -> None:
        before, now = ((one * _BAR) // total for one in (done - 1, done))
        if before == now:
            return
        bar = "#" * now + "." * (_BAR - now)
        line = f"  [{bar}] {done:,} of {total:,}"
        if moving:
            sys.stdout.write(f"\r{line}" + ("\n" if done == total else ""))
            sys.stdout.flush()
        elif now % (_BAR // 4) == 0:
            say(line)

    return show_bar


def _read_activity(crowd: Crowd, ref: str, phases: Sequence[str]) -> dict[str, Any]:
    answer = crowd.ask_server("GET", f"/activities/{ref}")
    if answer.status != 200:
        raise DemoAway(
            f"there is no activity {ref}; the season of a first start is written in some seconds"
        )
    found: dict[str, Any] = answer.body
    if found["phase"] not in phases:
        raise DemoAway(f"{ref} takes no sign-ups: its phase is {found['phase']}")
    return found


def _await_opening(crowd: Crowd, ref: str, say: Say) -> None:
    pause, told = threading.Event(), False
    while (found := _read_activity(crowd, ref, (*_WAITING, *_RUNNING)))["phase"] in _WAITING:
        if not told:
            opens = datetime.fromisoformat(found["signup_opens_at"]).astimezone(BEIJING)
            say(f"the sign-up opens at {opens:%H:%M:%S} Beijing time; waiting …")
            told = True
        pause.wait(_LOOK_SECONDS)


def _sign_up_all(
    crowd: Crowd, ref: str, coming: Sequence[tuple[str, float]], say: Say
) -> list[_RushAttempt]:
    clock, pause = crowd.clock, threading.Event()
    begun = clock.monotonic()

    def sign_up(one: tuple[str, float]) -> _RushAttempt:
        token, moment = one
        # The event is never set: waiting for it is a pause until the person's moment.
        pause.wait(max(0.0, begun + moment - clock.monotonic()))
        again, path = 0, f"/activities/{ref}/signup"
        while (answer := crowd.ask_server("POST", path, {}, token)).status == BUSY:
            if again == _MOST_AGAIN:
                break
            again += 1
            pause.wait(_AGAIN_SECONDS)
        waited = clock.monotonic() - begun - moment
        return _RushAttempt(status=answer.status, body=answer.body, seconds=waited, again=again)

    return crowd.do_for_each(coming, sign_up, show_progress(say))


def _sum_up(
    application: Application, ref: str, title: str, answers: Sequence[_RushAttempt]
) -> RushResult:
    """Count the answers, and the seats again from the rows of the database."""
    done = [one.body for one in answers if one.status in _DONE]
    refused = [one.body["code"] for one in answers if one.status not in _DONE]
    with application.uow_factory.begin(read_only=True) as uow:
        counted = signups.recount_seats(uow, ref)
    return RushResult(
        title=title,
        seats=counted.seats,
        places=Counter(str(one["status"]) for one in done),
        positions=tuple(sorted(one["position"] for one in done if one["position"] is not None)),
        refused=Counter(refused),
        again=sum(one.again for one in answers),
        seconds=tuple(one.seconds for one in answers),
        oversold=max(0, counted.seated - counted.seats),
    )
