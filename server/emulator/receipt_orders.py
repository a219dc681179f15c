"""Instructions about WeChat's reports on sends: which are late, early, repeated, held back or lost.

Source: "Event pushes of template messages", "Event pushes of mass messages", "Subscription message
events": one report per message or mass job, some time after the send.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

TEMPLATE, MASS, SENT = "TEMPLATESENDJOBFINISH", "MASSSENDJOBFINISH", "subscribe_msg_sent_event"
EVENTS = (TEMPLATE, MASS, SENT)
SUCCESS, BLOCKED = "success", "failed:user block"
USUAL, DROP, DUPLICATE, EARLY, LATE, HOLD = "usual", "drop", "duplicate", "early", "late", "hold"
MANNERS = (USUAL, DROP, DUPLICATE, EARLY, LATE, HOLD)

Work: TypeAlias = Callable[[], object]


@dataclass
class Manner:
    """An instruction: how the reports of an event are pushed, until `count` is used up.

    Units: `delay_s` seconds on top of the usual delay, for `late`; `status` replaces the outcome.
    """

    event: str
    manner: str = USUAL
    openid: str | None = None
    count: int | None = None
    delay_s: float = 0.0
    status: str | None = None


class Receipts:
    """The active instructions, and the reports that are held back.

    Locks: a lock of its own, so that each instruction is applied exactly `count` times.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Manner] = []
        self._held: list[Work] = []

    def add_order(self, order: Manner) -> None:
        """Add an instruction after the others."""
        with self._lock:
            self._orders.append(order)

    def match_send(self, event: str, openid: str) -> Manner:
        """The first instruction for this event and person, consumed once; `usual` without one."""
        with self._lock:
            for order in self._orders:
                if order.event != event or order.openid not in (None, openid):
                    continue
                if order.count is not None:
                    order.count -= 1
                    if order.count <= 0:
                        self._orders.remove(order)
                return order
        return Manner(event)

    def hold_push(self, work: Work) -> None:
        """Hold a report back."""
        with self._lock:
            self._held.append(work)

    def take_held(self) -> list[Work]:
        """Remove and return the reports that are held back."""
        with self._lock:
            held, self._held = self._held, []
        return held

    def show_state(self) -> dict[str, Any]:
        """Return the instructions and the number of reports that are held back."""
        with self._lock:
            return {"items": [asdict(order) for order in self._orders], "held": len(self._held)}

    def forget_all(self) -> None:
        """Remove every instruction and every held report."""
        with self._lock:
            self._orders.clear()
            self._held.clear()
