"""A callback handler for tests: keywords have no effects, other messages a row, unique by key."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from server.base.redis.client import RedisClient, create_client
from server.base.redis.replay_cache import ReplayCache
from server.wechat.callback.deadline_runner import DeadlineRunner
from server.wechat.callback.inbound import Envelope, Message
from server.wechat.callback.replies import Reply
from server.wechat.callback.webhook import Webhook
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import Heard, WeChatSide

PATH = "/wechat/official/callback"


class RecordingDoor:
    """Counts its calls; the first `apply_effects` of a key decides the reply to its repeats."""

    def __init__(self, side: WeChatSide) -> None:
        self.side = side
        self.seen: list[str] = []
        self.done: dict[str, Reply] = {}
        self.lately: list[tuple[str, Reply]] = []
        self.failing: list[Exception] = []
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.may_end.set()
        self.told_late = threading.Event()
        self._lock = threading.Lock()

    @property
    def envelope(self) -> Envelope:
        return self.side.envelope

    def reply_without_effects(self, message: Message) -> Reply | None:
        self.seen.append(message.key)
        if message.kind == "image":
            return Reply()
        return (
            Reply.of_text(f"hello number {len(self.seen)}") if message.content == "hello" else None
        )

    def apply_effects(self, message: Message) -> Reply | None:
        self.begun.set()
        if self.failing:
            raise self.failing.pop()
        assert self.may_end.wait(60)
        with self._lock:
            return self.done.setdefault(message.key, Reply.of_text(f"row {len(self.done) + 1}"))

    def deliver_late(self, message: Message, reply: Reply) -> None:
        self.lately.append((message.key, reply))
        self.told_late.set()


def beyond(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The WSGI application behind the webhook."""
    start_response("204 No Content", [])
    return [environ["PATH_INFO"].encode()]


class Stand:
    """A webhook with one handler, as in one of several processes."""

    def __init__(
        self,
        side: WeChatSide,
        kv_name: str,
        *,
        answer_seconds: float = 60.0,
        handler: RecordingDoor | None = None,
        threads: int = 8,
    ) -> None:
        self.clock: FakeClock = side.clock
        self.kv: RedisClient = create_client(kv_name, None, self.clock)  # type: ignore[arg-type]
        self.once = ReplayCache(self.kv)
        self.handler = handler or RecordingDoor(side)
        self.observed = Heard()
        self.late_outcomes = Heard()
        self.deadline_runner = DeadlineRunner(
            self.once,
            answer_seconds=answer_seconds,
            threads=threads,
            count_late=self.late_outcomes,
        )
        self.webhook = Webhook(
            beyond,
            {PATH: self.handler},
            self.once,
            self.clock,
            deadline_runner=self.deadline_runner,
            observe=self.observed,
        )

    @property
    def outcomes(self) -> list[str]:
        return [outcome for _path, outcome, _seconds in self.observed.told]
