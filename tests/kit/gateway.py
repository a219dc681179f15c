"""WeChat's place in other tests: it answers what the test says and remembers the calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from server.wechat.errors import NotSent
from server.wechat.gateway import FanOutResult
from server.wechat.letters import PushLetter


class RecordingGateway:
    """Any method by name; `answers[name]` is a value, an exception or a function.

    `answers["fan_out"]` is the result of every letter, or a function of the letter; with
    `hold_fan_out` results wait for `fan_outs[n].release()`.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        self.fan_outs: list[RecordingFanOut] = []
        self.hold_fan_out = False

    def open_fan_out(
        self, connections: int, on_result: Callable[[int, FanOutResult], None]
    ) -> RecordingFanOut:
        self.calls.append(("open_fan_out", (connections, on_result), {}))
        if "fan_out" not in self.answers:
            raise AssertionError("the test did not say what WeChat answers to the fan-out")
        opened = RecordingFanOut(on_result, self.answers["fan_out"], held=self.hold_fan_out)
        self.fan_outs.append(opened)
        return opened

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*args: Any, **named: Any) -> Any:
            self.calls.append((name, args, named))
            if name not in self.answers:
                raise AssertionError(f"the test did not say what WeChat answers to {name}")
            answer = self.answers[name]
            if isinstance(answer, BaseException):
                raise answer
            return answer(*args, **named) if callable(answer) else answer

        return call

    def called(self, name: str) -> list[tuple[Any, ...]]:
        return [args for called, args, _ in self.calls if called == name]


class RecordingFanOut:
    """The fan-out of a test: results come inside `submit`, or with `held` at `release`.

    `answer` is a result or a function of the letter.
    """

    def __init__(
        self,
        on_result: Callable[[int, FanOutResult], None],
        answer: FanOutResult | Callable[[PushLetter], FanOutResult],
        *,
        held: bool = False,
    ) -> None:
        self.submitted: list[tuple[int, PushLetter]] = []
        self.held = held
        self.closed = False
        self._on_result = on_result
        self._answer = answer
        self._waiting: list[tuple[int, PushLetter]] = []

    def submit(self, key: int, letter: PushLetter) -> None:
        if self.closed:
            raise RuntimeError("the fan-out is closed")
        self.submitted.append((key, letter))
        self._waiting.append((key, letter))
        if not self.held:
            self.release()

    def release(self) -> None:
        """Deliver the results of all letters that wait."""
        while self._waiting:
            key, letter = self._waiting.pop(0)
            self._on_result(key, self._answer(letter) if callable(self._answer) else self._answer)

    def pending(self) -> int:
        return len(self._waiting)

    def drain(self, timeout: float) -> bool:
        if not self.held:
            self.release()
        return not self._waiting

    def close(self) -> None:
        """Letters that wait were still in the queue, so they are reported as never sent."""
        while self._waiting:
            self._on_result(self._waiting.pop(0)[0], NotSent())
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *trouble: object) -> None:
        self.close()
