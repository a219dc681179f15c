"""WeChat's place in other tests: it answers what the test says and remembers the calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class RecordingGateway:
    """Any method by name; `answers[name]` is a value, an exception or a function."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}

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
