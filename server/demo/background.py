"""Writes the season in a thread while the demo's processes run, and prints progress lines."""

from __future__ import annotations

import logging
import threading

from server.app import Application
from server.base.clock import Clock
from server.base.errors import AppError
from server.demo.banner import say_line
from server.demo.season import fill_season
from server.demo.season_lectures import OPENS_IN, RUSH

_log = logging.getLogger(__name__)
_AGAIN_SECONDS = 2.0


def start_season(
    application: Application, clock: Clock, stop: threading.Event
) -> threading.Thread | None:
    """Write the season in a thread that ends soon after `stop`; None when it is off."""
    if application.settings.demo_season == "none":
        return None
    writing = threading.Thread(target=_write_season, args=(application, clock, stop), name="season")
    writing.start()
    return writing


def _write_season(application: Application, clock: Clock, stop: threading.Event) -> None:
    begun = clock.monotonic()
    while not stop.is_set():
        try:
            written = fill_season(application, say_line, stop.is_set)
        except (OSError, AppError) as trouble:
            # The database or the emulator is being restarted; complete parts are kept.
            _log.warning("season interrupted", extra={"outcome": type(trouble).__name__})
            stop.wait(_AGAIN_SECONDS)
            continue
        if written.citizens and not stop.is_set():
            say_line(
                f"season: {written.papers} papers of {written.citizens} citizens, and"
                f" {written.lectures} lectures, in {clock.monotonic() - begun:.1f} s"
                " (KEPU_DEMO_SEASON=none leaves it out)"
            )
            say_line(
                f"season: a sign-up opens within {OPENS_IN.seconds // 60} minutes; 2,000 people:"
                f" python -m server rush {RUSH} --people 2000"
            )
        return
