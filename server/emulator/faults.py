"""Injected faults: which call fails, how, and how often."""

from __future__ import annotations

import random
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

MODES = ("reset", "truncate", "html", "accept_then_drop", "hold")
NUMBERS = ("errcode", "http", "delay_s", "count", "probability")
KNOWN = {"path", "errcode", "http", "delay_s", "mode", "count", "probability", "openid"}


@dataclass
class Fault:
    """A fault: applies to calls of `path` (and `openid`, if set) until `count` is used up.

    In mode `hold` a call has no effect and no response until the fault is lifted.
    """

    path: str
    errcode: int | None = None
    http: int | None = None
    delay_s: float = 0.0
    mode: str | None = None
    count: int | None = None
    probability: float | None = None
    openid: str | None = None
    id: int = 0
    hits: int = field(default=0)

    @property
    def ends(self) -> bool:
        """Whether it replaces or damages the response; otherwise it only delays it."""
        return self.errcode is not None or self.http is not None or self.mode is not None


class Faults:
    """The active injected faults.

    Locks: a lock of its own, so that each fault is applied exactly `count` times.
    """

    def __init__(self, chance: random.Random) -> None:
        self._lock = threading.Lock()
        self._chance = chance
        self._orders: list[Fault] = []
        self._lifted: dict[int, threading.Event] = {}
        self._last_id = 0

    def order_fault(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Inject a fault.

        Raises: ValueError for an order without a path or with an unknown field.
        """
        unknown = set(wish) - KNOWN
        if unknown or not isinstance(wish.get("path"), str):
            raise ValueError(
                f"a fault needs a path and knows {sorted(KNOWN)}, not {sorted(unknown)}"
            )
        if wish.get("mode") not in (None, *MODES):
            raise ValueError(f"mode is one of {MODES}")
        if not all(isinstance(wish.get(name, 0), int | float) for name in NUMBERS):
            raise ValueError(f"{NUMBERS} are numbers")
        if not (0 <= wish.get("probability", 0) <= 1 and wish.get("delay_s", 0) >= 0):
            raise ValueError("probability is from 0 to 1, and a delay is not negative")
        fault = Fault(**{**wish, "path": bare_path(wish["path"])})
        with self._lock:
            self._last_id += 1
            fault.id = self._last_id
            self._lifted[fault.id] = threading.Event()
            self._orders.append(fault)
        return asdict(fault)

    def match_call(self, path: str, openid: str | None) -> tuple[float, Fault | None]:
        """Return the delay and the fault for one call, and consume them."""
        delay = 0.0
        with self._lock:
            for fault in list(self._orders):
                if not self._meets_call(fault, path, openid):
                    continue
                self._use_once(fault)
                delay += fault.delay_s
                if fault.ends:
                    return delay, fault
        return delay, None

    def list_orders(self) -> list[dict[str, Any]]:
        """The active orders with how often each was applied."""
        with self._lock:
            return [asdict(fault) for fault in self._orders]

    def lift_orders(self, number: int | None = None) -> None:
        """Remove one order, or all."""
        with self._lock:
            kept = [f for f in self._orders if number is not None and f.id != number]
            self._orders = kept
            gone = [number] if number is not None else list(self._lifted)
            for one in gone:
                lifted = self._lifted.pop(one, None)
                if lifted is not None:
                    lifted.set()

    def await_lift(self, fault: Fault) -> None:
        """Block a held call until its fault is lifted; its count does not lift it."""
        with self._lock:
            lifted = self._lifted.get(fault.id)
        if lifted is not None:
            lifted.wait()

    def _meets_call(self, fault: Fault, path: str, openid: str | None) -> bool:
        if fault.path not in (path, "*") or fault.openid not in (None, openid):
            return False
        return fault.probability is None or self._chance.random() < fault.probability

    def _use_once(self, fault: Fault) -> None:
        fault.hits += 1
        if fault.count is not None and fault.hits >= fault.count:
            self._orders.remove(fault)


def bare_path(path: str) -> str:
    """WeChat's own path: without the emulator's first segment; leading slash; `*` means all."""
    if path == "*":
        return path
    path = path if path.startswith("/") else f"/{path}"
    for host in ("/api/", "/mpweb/", "/open/"):
        if path.startswith(host):
            return path[len(host) - 1 :]
    return path
