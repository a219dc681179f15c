"""All state and dependencies of one emulated WeChat.

Clock, randomness and the callback sender are arguments, so that tests control them.
"""

from __future__ import annotations

import base64
import json
import logging
import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .apps import LETTERS, MINI, OFFICIAL, App
from .clock import EmulatorClock
from .faults import Faults
from .later import Later
from .quota import Quota
from .receipt_orders import Receipts
from .sender import Sender
from .state import Store
from .templates import CATEGORY, MINI_ONCE, NOTICE, OLD, Template, select_kinds

log = logging.getLogger("emulator")

BURST_SECONDS = 60
# Marks in a text, and the verdict of the content check. Source: security.msgSecCheck, labels.
ABUSE, VULGAR = 20003, 20012
VERDICTS = (("[risky]", "risky", ABUSE), ("[review]", "review", VULGAR))
PASSED = ("pass", 100)
LONGEST_PATH = 1024
# A page path with its encoded query, without leading slash and extension.
PAGE_PATH = re.compile(r"([0-9A-Za-z_-]+(?:/[0-9A-Za-z_-]+)*)(?:\?[!$-;=@-Z_a-z~]*)?")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Options of the emulator.

    Units: seconds; `sent_event_s` is the delay of a send's result event (None: never). `bundle` is
    the folder of the compiled mini-program, `net` the address behind each host that it requests,
    `net_patience_s` the timeout for such a host.
    """

    server: str = "http://127.0.0.1:8000"
    deadline_s: float = 5.0
    attempts: int = 3
    sent_event_s: tuple[float, float] | None = (0.1, 2.0)
    app_json: Path | None = None
    bundle: Path | None = None
    net: Mapping[str, str] = field(default_factory=dict)
    net_patience_s: float = 60.0


@dataclass(kw_only=True, eq=False)
class World:
    """Store, clock, apps, and the connections to the outside."""

    settings: Settings
    store: Store
    clock: EmulatorClock
    chance: random.Random
    apps: dict[str, App]
    all_templates: dict[str, Template]
    sender: Sender
    pause: Callable[[float], None]
    banned: set[str] = field(default_factory=set)
    deleted_templates: set[str] = field(default_factory=set)
    ip_whitelist: dict[str, set[str]] = field(default_factory=dict)
    refused_words: set[str] = field(default_factory=set)
    open_platform: bool = True
    # Whether the administrator confirms each mass message ("API protection").
    mass_protection: bool = False
    cut_off: bool = False
    mass_tries: dict[str, float] = field(default_factory=dict)
    in_flight: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.templates = select_kinds(self.all_templates, [MINI_ONCE])
        self.official_templates = select_kinds(self.all_templates, [OLD, CATEGORY])
        self.official_notices = select_kinds(self.all_templates, [NOTICE])
        self.faults = Faults(self.chance)
        self.quota = Quota(self.store, self.clock)
        self.receipts = Receipts()
        self.later = Later()
        self.in_flight_lock = threading.Lock()
        self._original_apps = dict(self.apps)
        self._moments: dict[tuple[str, str], int] = {}
        self._pages: tuple[int, set[str]] | None = None

    def now(self) -> float:
        """Epoch seconds of the emulated time."""
        return self.clock.now()

    @property
    def official(self) -> App:
        """The official account."""
        return self.apps[OFFICIAL]

    @property
    def mini(self) -> App:
        """The mini-program."""
        return self.apps[MINI]

    def app_of(self, appid: str) -> App | None:
        """The app with this appid."""
        return next((app for app in self.apps.values() if app.appid == appid), None)

    def random_word(self, length: int) -> str:
        """Random letters and digits."""
        return "".join(self.chance.choices(LETTERS, k=length))

    def random_bytes(self, count: int) -> bytes:
        """Random bytes."""
        return bytes(self.chance.getrandbits(8) for _ in range(count))

    def random_base64(self, count: int) -> str:
        """Random bytes as base64 text."""
        return base64.b64encode(self.random_bytes(count)).decode()

    def new_request_id(self) -> str:
        """The request id at the end of every errmsg: it begins with the second in hexadecimal."""
        chance = "-".join(f"{self.chance.getrandbits(32):08x}" for _ in range(2))
        return f"{int(self.now()):08x}-{chance}"

    def judge_text(self, text: str) -> tuple[str, int]:
        """Judge a text as the content check does: WeChat's suggestion and label."""
        marks = (*VERDICTS, *((word, "risky", ABUSE) for word in sorted(self.refused_words)))
        return next(((said, label) for mark, said, label in marks if mark in text), PASSED)

    def random_number64(self) -> int:
        """A random message id, larger than a JavaScript number can represent."""
        return (1 << 62) | self.chance.getrandbits(61)

    def next_moment(self, openid: str, event: str) -> int:
        """The CreateTime of an event; unique per openid and event, even within one second."""
        with self.in_flight_lock:
            now, last = int(self.now()), self._moments.get((openid, event), 0)
            # After the clock was set back, later moments remain stored; they are ignored.
            at = last + 1 if now <= last < now + BURST_SECONDS else now
            self._moments[openid, event] = at
        return at

    def log_line(self, event: str, **facts: object) -> None:
        """Write one line to the emulator's own log; never pass a secret or a body."""
        log.info(event, extra={"facts": facts})

    def released_pages(self) -> set[str] | None:
        """The pages of the mini-program's app.json; None when no path to one is configured."""
        path = self.settings.app_json
        if path is None:
            return None
        written = path.stat().st_mtime_ns
        if self._pages is not None and self._pages[0] == written:
            return self._pages[1]
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        pages = set(manifest.get("pages", []))
        for package in manifest.get("subPackages", manifest.get("subpackages", [])):
            pages |= {f"{package['root'].strip('/')}/{page}" for page in package["pages"]}
        self._pages = (written, pages)
        return pages

    def can_open(self, path: object) -> bool:
        """Whether a menu, message or card may open this page (in app.json, properly encoded)."""
        found = PAGE_PATH.fullmatch(path) if isinstance(path, str) else None
        if found is None or len(found[0]) > LONGEST_PATH:
            return False
        released = self.released_pages()
        return released is None or found[1] in released

    def close_world(self) -> None:
        """Stop the scheduler and close the file."""
        self.later.close_scheduler()
        self.store.close_file()

    def reset_world(self) -> None:
        """Reset to an empty WeChat with the same two apps."""
        self.store.delete_all()
        self.clock.reset_time()
        self.later.drop_pending()
        self.faults.lift_orders()
        self.quota.reset_limits()
        self.banned.clear()
        self.deleted_templates.clear()
        self.receipts.forget_all()
        self.ip_whitelist.clear()
        self.refused_words.clear()
        self._moments.clear()
        self.open_platform, self.cut_off, self.mass_protection = True, False, False
        self.mass_tries.clear()
        self.apps = dict(self._original_apps)
