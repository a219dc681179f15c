"""Collects the results of calls, and settles them in batches on a thread of its own."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import func, select

from server.announcements.enums import Channel, TryState
from server.announcements.ledger.control import stop_sending
from server.announcements.ledger.outcomes import (
    FIRST_RESULTS,
    MOST_UNKNOWN,
    PlannedCall,
    Stop,
    concerns_everybody,
    find_stop,
    is_slow_down,
    is_unknown_recipient,
    judge_result,
    spent_channels,
)
from server.announcements.ledger.pace import SendRate
from server.announcements.ledger.queue import QUEUE
from server.announcements.ledger.quotas import pause_channels
from server.announcements.models import Recipient, SendTry
from server.base.errors import Unavailable
from server.base.outbox_batches import settle_batch
from server.base.outbox_outcomes import Delivered
from server.base.outbox_rows import Call, Claim, Done, Outcome, Retry
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.metrics import OUTBOX_CALLS
from server.wechat.gateway import FanOutResult

Result = tuple[Call, FanOutResult]
_AT_ONCE = 200
# Seconds for which results wait for more results.
_PATIENCE = 0.1
# Seconds for which free connections wait for more of them: longer, and they are idle while WeChat
# is slow; without it, a claim is made for each result.
_LINGER = 0.005
# A merge or a busy database is over soon; the results of calls must not be lost because of it.
_ATTEMPTS = 5
_UNKNOWN_RECIPIENT = "gone:40003"


class Collector:
    """The calls of one run that are under way, and the results that wait for their settlement.

    `halted` is set when further calls would fail too, or when settling failed.
    """

    def __init__(self, uow_factory: UnitOfWorkFactory, pace: SendRate, connections: int) -> None:
        self._uow_factory = uow_factory
        self._pace = pace
        self._connections = connections
        # Each waits for a number of results: waking a thread for each one costs more than a call.
        self._half = max(1, connections // 2)
        self._lock = threading.Lock()
        self._room_free = threading.Condition(self._lock)
        self._results_told = threading.Condition(self._lock)
        self._calls: dict[int, Call] = {}
        self._results: list[Result] = []
        self._unsettled = 0
        self._over = False
        self._failure: BaseException | None = None
        self.halted = False
        self.total = Delivered()

    def add_calls(self, calls: Sequence[Call]) -> None:
        """Note calls before they are submitted."""
        with self._lock:
            self._unsettled += len(calls)
            self._calls.update({call.claim.row_id: call for call in calls})

    def receive_result(self, key: int, result: FanOutResult) -> None:
        """Take a result; runs on the thread of the fan-out."""
        with self._lock:
            self._results.append((self._calls.pop(key), result))
            self.halted = self.halted or concerns_everybody(result)
            room = self._room()
            if self.halted or room == 1 or room >= self._half:
                self._room_free.notify()
            if len(self._results) == 1 or self._has_batch():
                self._results_told.notify()

    def wait_for_room(self) -> int:
        """Wait for free connections, and shortly for half of them; return how many are free.

        0 when the run is halted. Results that wait for their settlement are bounded too.
        """
        with self._lock:
            self._room_free.wait_for(lambda: self.halted or self._room() > 0)
            self._room_free.wait_for(lambda: self.halted or self._room() >= self._half, _LINGER)
            return 0 if self.halted else self._room()

    def wait_seconds(self, seconds: float) -> None:
        """Wait for so long, or until the run is halted."""
        with self._lock:
            self._room_free.wait_for(lambda: self.halted, seconds)

    def _room(self) -> int:
        most = self._connections
        return min(most - len(self._calls), 2 * most - self._unsettled)

    def _has_batch(self) -> bool:
        """Whether there are enough results for a transaction, or no more will come for now."""
        return len(self._results) >= min(self._half, _AT_ONCE) or not self._calls

    @contextmanager
    def settling(self) -> Iterator[None]:
        """Settle results until the block ends and none is left.

        Raises: what stopped the settling.
        """
        thread = threading.Thread(target=self._settle_results, name="settling", daemon=True)
        thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._over = True
                self._results_told.notify()
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _settle_results(self) -> None:
        try:
            while batch := self._next_batch():
                self.total += self._settle_batch(batch)
                with self._lock:
                    self._unsettled -= len(batch)
                    self._room_free.notify()
        except BaseException as trouble:
            with self._lock:
                self._failure, self.halted = trouble, True
                self._room_free.notify()

    def _next_batch(self) -> list[Result]:
        with self._lock:
            while not self._results and not self._over:
                self._results_told.wait()
            # A few results wait for more of them, but not for slow calls.
            self._results_told.wait_for(lambda: self._has_batch() or self._over, _PATIENCE)
            batch, self._results = self._results[:_AT_ONCE], self._results[_AT_ONCE:]
            return batch

    def _settle_batch(self, batch: Sequence[Result]) -> Delivered:
        now = self._uow_factory.dependencies.clock.now()
        outcomes = [(call.claim, judge_result(result, now)) for call, result in batch]
        self._apply_to_all(batch, [outcome for _, outcome in outcomes])
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._settle_outcomes(batch, outcomes)
            except Unavailable:
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def _settle_outcomes(
        self, batch: Sequence[Result], outcomes: Sequence[tuple[Claim, Outcome]]
    ) -> Delivered:
        with self._uow_factory.begin() as uow:
            settled = settle_batch(uow, QUEUE, outcomes)
        strangers = {
            _letter_of(call).announcement_id
            for call, result in batch
            if is_unknown_recipient(result)
        }
        for announcement_id in sorted(strangers):
            with self._uow_factory.begin() as uow:
                _stop_wrong_audience(uow, announcement_id)
        return settled

    def _apply_to_all(self, batch: Sequence[Result], outcomes: Sequence[Outcome]) -> None:
        """Store the meaning of answers for other recipients, before the rows are free again."""
        words = Counter(_word_of(outcome) for outcome in outcomes)
        for word, count in words.items():
            OUTBOX_CALLS.labels(QUEUE.name, word).inc(count)
        if any(is_slow_down(result) for _, result in batch):
            self._pace.slow_down()
        stops: dict[int, Stop] = {}
        for call, result in batch:
            stop = find_stop(result)
            if stop is not None:
                stops.setdefault(_letter_of(call).announcement_id, stop)
        spent = spent_channels([(_letter_of(call).channel, result) for call, result in batch])
        self._store_stops(stops, spent)

    def _store_stops(self, stops: dict[int, Stop], spent: set[Channel]) -> None:
        for announcement_id, stop in sorted(stops.items()):
            with self._uow_factory.begin() as uow:
                stop_sending(uow, announcement_id, stop)
        if spent:
            with self._uow_factory.begin() as uow:
                pause_channels(uow, spent)


def _letter_of(call: Call) -> PlannedCall:
    sending: PlannedCall = call.letter
    return sending


def _word_of(outcome: Outcome) -> str:
    return {Done: "done", Retry: "retry"}.get(type(outcome), "refused_or_in_doubt")


def _stop_wrong_audience(uow: UnitOfWork, announcement_id: int) -> None:
    """Pause an announcement when many of its first openids are none of the app's."""
    first = (
        select(SendTry.reason)
        .join(Recipient, Recipient.id == SendTry.recipient_id)
        .where(
            Recipient.announcement_id == announcement_id,
            SendTry.state.in_((TryState.ACCEPTED, TryState.REFUSED)),
        )
        .order_by(SendTry.id)
        .limit(FIRST_RESULTS + _AT_ONCE)
        .subquery()
    )
    total = func.count()
    strangers = func.count().filter(first.c.reason == _UNKNOWN_RECIPIENT)
    seen = uow.session.execute(select(total, strangers).select_from(first)).one()
    if seen[0] < FIRST_RESULTS + _AT_ONCE and seen[1] > MOST_UNKNOWN:
        stop_sending(uow, announcement_id, Stop(reason="wrong_audience", detail=str(seen[1])))
