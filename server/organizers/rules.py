"""Rules of passwords, lock-outs, sessions and places; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.base.access import Role, Scope

MOST_TRIES = 10
BAR = timedelta(minutes=15)
# Failures older than this no longer count.
TRIES_WINDOW = timedelta(minutes=15)
IDLE = timedelta(minutes=30)
# Expired sessions are kept for this time, so that the log-in can tell them from ended ones.
KEEP_EXPIRED = timedelta(days=7)
LONGEST_SESSION = timedelta(hours=12)
# A session's last use is written at most this often.
TOUCH_EVERY = timedelta(minutes=1)
INVITE_VALID = timedelta(days=3)
RECOVER_VALID = timedelta(hours=24)
WECHAT_VALID = timedelta(minutes=10)
NO_APPROVALS = timedelta(hours=24)
KEEP_BROWSER = timedelta(days=400)
MOST_SESSIONS = 10
RECOVERY_CODES = 10
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 128

_USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,31}")
_KINDS = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]")
_NEXT = re.compile(r"/console(/[\w./-]*)?(\?[\w.=&%:+,~*-]*)?", re.ASCII)
# Beginnings of the most common passwords; longer variants of them are refused too.
_COMMON = (
    "123456", "654321", "abc123", "admin", "asdfgh", "iloveyou", "letmein", "password", "passw0rd",
    "qazwsx", "qwerty", "welcome", "woaini", "zxcvbn", "1qaz2wsx", "kepu", "bagui", "guangxi",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TriesState:
    """Failed log-ins under one key."""

    tries: int = 0
    last_at: datetime | None = None
    barred_until: datetime | None = None

    def time_barred(self, now: datetime) -> timedelta:
        """How long it is still barred; zero when it is not."""
        if self.barred_until is None or self.barred_until <= now:
            return timedelta(0)
        return self.barred_until - now

    def count_try(self, now: datetime) -> TriesState:
        """The state with one more try, counted before it is checked.

        The tenth try bars at once, so that parallel tries cannot exceed the limit.
        """
        fresh = self.last_at is None or now - self.last_at > TRIES_WINDOW
        tries = 1 if fresh or self.barred_until is not None else self.tries + 1
        until = now + BAR if tries >= MOST_TRIES else None
        return TriesState(tries=tries, last_at=now, barred_until=until)


def is_username(words: str) -> bool:
    """Whether this can be a log-in name: 3 to 32 of a-z, 0-9, `.`, `_`, `-`, a letter first."""
    return _USERNAME.fullmatch(words) is not None


def password_fault(password: str, username: str) -> str | None:
    """The text key of what is wrong with a new password; None when it may be used."""
    if len(password) < SHORTEST_PASSWORD:
        return "organizers.password.short"
    if len(password) > LONGEST_PASSWORD:
        return "organizers.password.long"
    kinds = sum(re.search(kind, password) is not None for kind in _KINDS)
    if kinds < 2 or len(set(password)) < 5:
        return "organizers.password.simple"
    lower = password.lower()
    if username in lower or any(lower.startswith(common) for common in _COMMON):
        return "organizers.password.common"
    return None


def session_alive(started_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """Whether a session is neither idle for too long nor too old."""
    return now - seen_at <= IDLE and now - started_at <= LONGEST_SESSION


def may_appoint(own: Scope, scope: Scope) -> bool:
    """Whether an administrator of the place `own` may give somebody this scope."""
    return own.covers_scope(scope)


def may_succeed(
    leaving: tuple[Role, Scope], successor: tuple[Role, Scope], *, same: bool = False
) -> bool:
    """Whether the successor can take over: the same role, and a place that covers the other's."""
    return not same and leaving[0] is successor[0] and successor[1].covers_scope(leaving[1])


def browser_name(agent: str) -> str:
    """The browser and the system in a User-Agent header, in short; `-` when neither is known."""
    browsers = {
        "MicroMessenger": "微信",
        "Edg/": "Edge",
        "Firefox/": "Firefox",
        "Chrome/": "Chrome",
        "Safari/": "Safari",
    }
    systems = {
        "Windows": "Windows",
        "HarmonyOS": "HarmonyOS",
        "Android": "Android",
        "iPhone": "iPhone",
        "iPad": "iPad",
        "Mac OS": "macOS",
        "Linux": "Linux",
    }
    found = [
        next((name for mark, name in known.items() if mark in agent), "")
        for known in (browsers, systems)
    ]
    return " · ".join(name for name in found if name) or "-"


def path_after_login(wanted: str) -> str:
    """The console path to open after the log-in, below `/console`; the first page for any other."""
    if _NEXT.fullmatch(wanted) is None or "//" in wanted or ".." in wanted:
        return "/"
    return wanted.removeprefix("/console") or "/"
