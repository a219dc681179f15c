"""Redis by purpose, in one bundle: what the composition root hands to slices and edges."""

from __future__ import annotations

from dataclasses import dataclass

from server.base.clock import Clock
from server.base.kv.client import Kv
from server.base.kv.leaderboard import Leaderboard
from server.base.kv.limiter import Limiter
from server.base.kv.lock import Lock
from server.base.kv.once import Once
from server.base.kv.shared import Shared


@dataclass(frozen=True)
class Facilities:
    """One of each, over one client."""

    kv: Kv
    once: Once
    lock: Lock
    limiter: Limiter
    shared: Shared
    leaderboard: Leaderboard


def facilities(kv: Kv, clock: Clock) -> Facilities:
    """The facilities over an opened client."""
    return Facilities(
        kv=kv,
        once=Once(kv),
        lock=Lock(kv),
        limiter=Limiter(kv, clock),
        shared=Shared(kv),
        leaderboard=Leaderboard(kv),
    )
