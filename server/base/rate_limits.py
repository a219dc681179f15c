"""Rate limits by name, and the only place that refuses a request because of one.

A limit is a token bucket with a capacity of half its figure. It counts per person, not per row,
because a person can erase the row: see `Citizen.person`.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from server.base.errors import TooManyRequests
from server.base.uow import Dependencies


@dataclass(frozen=True, kw_only=True)
class Pace:
    """One limit.

    `figure` names the setting under [limits], which ends in `_per_minute` or `_per_hour`.
    `by_edge` is False when the person is known only after the endpoint has run.
    """

    name: str
    figure: str
    by_edge: bool = True

    def per_minute(self, dependencies: Dependencies) -> float:
        """The rate per minute."""
        return self._configured_number(dependencies) / (
            60 if self.figure.endswith("_per_hour") else 1
        )

    def bucket_size(self, dependencies: Dependencies) -> float:
        """The capacity of the bucket, at least 1."""
        return max(1.0, self._configured_number(dependencies) / 2)

    def _configured_number(self, dependencies: Dependencies) -> float:
        return float(getattr(dependencies.settings.limits, self.figure))


LOGIN = Pace(name="login", figure="login_per_minute", by_edge=False)
CHANGE = Pace(name="change", figure="change_per_minute")
OWN_WORDS = Pace(name="own_words", figure="own_words_per_hour")
EXPORT = Pace(name="export", figure="export_per_hour")
PHONE = Pace(name="phone", figure="login_per_minute")
GROUP = Pace(name="groups", figure="login_per_minute")
# Requests that may be repeats share this wide limit; creating something has its own.
REPEAT = Pace(name="repeat", figure="repeat_per_minute")
QUIZ_START = Pace(name="quiz.start", figure="quiz_start_per_minute")
SIGN_UP = Pace(name="signups", figure="signup_per_minute")
SCAN = Pace(name="scans", figure="scan_per_minute")
ANSWER = Pace(name="quiz.answers", figure="answer_per_minute")
PRACTICE = Pace(name="practice", figure="practice_per_minute")
PRACTICE_ANSWER = Pace(name="practice.answers", figure="answer_per_minute")
SHARE = Pace(name="shares", figure="share_per_minute")
VISIT = Pace(name="visits", figure="visit_per_minute")
# Wrong codes of grants and venues, per person.
WRONG_CODE = Pace(name="wrong_codes", figure="wrong_codes_per_minute", by_edge=False)
# Failures per address: pupils behind one router are not limited by each other's valid requests.
BAD_CODE = Pace(name="bad_codes", figure="failures_per_minute")
DEAD_TOKEN = Pace(name="dead_tokens", figure="failures_per_minute")
VERIFY = Pace(name="certificates.misses", figure="verify_misses_per_minute")
CONSOLE_LOGIN = Pace(name="console.logins", figure="failures_per_minute")


def spend_token(dependencies: Dependencies, pace: Pace, who: str) -> None:
    """Count one call of a caller.

    Raises: TooManyRequests (429) with the time to wait.
    """
    wait = dependencies.kv.limiter.take_token(
        pace.name,
        who,
        per_minute=pace.per_minute(dependencies),
        burst=pace.bucket_size(dependencies),
    )
    if wait > 0:
        raise TooManyRequests(math.ceil(wait))


@contextmanager
def counting_failures(
    dependencies: Dependencies, pace: Pace, who: str, failure: type[Exception]
) -> Iterator[None]:
    """Run a step whose failures are limited: counted before, and given back unless it failed.

    When the limit is reached the step is not run.
    Raises: TooManyRequests (429).
    """
    spend_token(dependencies, pace, who)
    try:
        yield
    except failure:
        raise
    except BaseException:
        _give_back(dependencies, pace, who)
        raise
    _give_back(dependencies, pace, who)


def _give_back(dependencies: Dependencies, pace: Pace, who: str) -> None:
    dependencies.kv.limiter.give_back(
        pace.name,
        who,
        per_minute=pace.per_minute(dependencies),
        burst=pace.bucket_size(dependencies),
    )


def network_of(address: str | None) -> str:
    """The unit that is counted as one address: an IPv4 address, or an IPv6 host's /64."""
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return address or "-"
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))
