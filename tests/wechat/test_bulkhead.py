"""A WeChat that hangs holds a bounded number of threads; everybody else is answered at once."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask

from server.app import Overrides, create_app
from server.base.settings import Settings
from server.base.web.gunicorn_worker import LANES, RUNNING
from server.callbacks import MINI_PROGRAM, OFFICIAL
from server.wechat.bulkhead import Bulkhead
from server.wechat.errors import NotSent
from server.wechat.transport import Patience
from tests.conftest import application_of
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import ACCOUNT, WeChatSide, knock, xml_event
from tests.wechat.script import INFO, LOGIN, SEND, Bench, Script, Seen

MANY = 80
PLACES = 8


class Hanging:
    """An answer of WeChat that does not come before it is let go; how many wait for it."""

    def __init__(self) -> None:
        self.waiting = threading.Semaphore(0)
        self.let_go = threading.Event()

    def __call__(self, _seen: Seen) -> dict[str, object]:
        self.waiting.release()
        assert self.let_go.wait(60)
        return {"openid": "oSomebody", "session_key": "k", "unionid": "u"}

    @contextmanager
    def hung(self) -> Iterator[Hanging]:
        try:
            yield self
        finally:
            self.let_go.set()


def a_bench(clock: FakeClock, places: int, hanging: Hanging, place_seconds: float = 0.0) -> Bench:
    script = Script(clock, {LOGIN: hanging, INFO: hanging, SEND: {"errcode": 0}})
    patience = Patience(rest_seconds=0, calls_at_once=places, place_seconds=place_seconds)
    return Bench(clock, script, patience=patience)


@contextmanager
def an_app(settings: Settings, bench: Bench) -> Iterator[Flask]:
    official = replace(settings.wechat.official_account, original_id=ACCOUNT)
    settings = replace(settings, wechat=replace(settings.wechat, official_account=official))
    overrides = Overrides(clock=bench.clock, random=random.Random(1), gateway=bench.gateway)
    app = create_app(settings, overrides)
    yield app
    application_of(app).uow_factory.engine.dispose()


def log_in(app: Flask) -> tuple[int, str | None]:
    answer = app.test_client().post("/api/v1/login", json={"code": "code"})
    return answer.status_code, answer.headers.get("Retry-After")


def test_log_ins_beyond_the_places_are_refused_at_once_and_a_callback_is_answered(
    settings: Settings, clock: FakeClock
) -> None:
    hanging = Hanging()
    with (
        an_app(settings, a_bench(clock, PLACES, hanging)) as app,
        ThreadPoolExecutor(MANY) as people,
        hanging.hung(),
    ):
        asked = [people.submit(log_in, app) for _ in range(MANY)]
        for _ in range(PLACES):
            assert hanging.waiting.acquire(timeout=60)
        answered = as_completed(asked)
        refused = [next(answered).result() for _ in range(MANY - PLACES)]
        assert refused == [(503, "2")] * (MANY - PLACES)
        assert sum(not one.done() for one in asked) == PLACES
        assert followed(settings, app) == 200
        hanging.let_go.set()
        assert sorted(one.result()[0] for one in asked) == [200] * PLACES + [503] * len(refused)
        # The places are free again.
        assert log_in(app)[0] == 200


def test_as_many_log_ins_again_wait_for_a_place_and_are_logged_in(
    settings: Settings, clock: FakeClock
) -> None:
    hanging = Hanging()
    with (
        an_app(settings, a_bench(clock, PLACES, hanging, place_seconds=60)) as app,
        ThreadPoolExecutor(MANY) as people,
        hanging.hung(),
    ):
        asked = [people.submit(log_in, app) for _ in range(MANY)]
        answered = as_completed(asked)
        refused = [next(answered).result() for _ in range(MANY - 2 * PLACES)]
        assert refused == [(503, "2")] * len(refused)
        hanging.let_go.set()
        assert sorted(one.result()[0] for one in asked) == [200] * 2 * PLACES + [503] * len(refused)


def test_without_a_bound_all_of_them_would_wait(settings: Settings, clock: FakeClock) -> None:
    hanging = Hanging()
    with (
        an_app(settings, a_bench(clock, MANY, hanging)) as app,
        ThreadPoolExecutor(MANY) as people,
        hanging.hung(),
    ):
        asked = [people.submit(log_in, app) for _ in range(MANY)]
        for _ in range(MANY):
            assert hanging.waiting.acquire(timeout=60)
        assert not any(one.done() for one in asked)


def followed(settings: Settings, app: Flask) -> int:
    """The status with which the callback answers a new follower."""
    official = replace(settings.wechat.official_account, original_id=ACCOUNT)
    side = WeChatSide(official, FakeClock(datetime.now(UTC)))
    query, body = side.push(xml_event("subscribe"))
    return knock(app.wsgi_app, OFFICIAL, query, body).status


def test_a_call_with_a_token_holds_one_place_for_all_it_needs(clock: FakeClock) -> None:
    hanging = Hanging()
    bench = a_bench(clock, 1, hanging)
    with ThreadPoolExecutor(1) as people, hanging.hung():
        one = people.submit(bench.gateway.fetch_follower, "oSomebody")
        assert hanging.waiting.acquire(timeout=60)
        with pytest.raises(NotSent):
            bench.gateway.send_text("oSomebody", "words")
        assert bench.script.count(SEND) == 0
        hanging.let_go.set()
        one.result()
    bench.gateway.send_text("oSomebody", "words")
    assert (SEND, "no_place") in bench.outcomes


def test_a_refused_call_tells_nothing_about_wechat(clock: FakeClock) -> None:
    hanging = Hanging()
    bench = a_bench(clock, 1, hanging)
    with ThreadPoolExecutor(1) as people, hanging.hung():
        one = people.submit(bench.gateway.code_to_identity, "code")
        assert hanging.waiting.acquire(timeout=60)
        for _ in range(20):
            with pytest.raises(NotSent):
                bench.gateway.code_to_identity("code")
        assert bench.gateway.is_available()
        hanging.let_go.set()
        one.result()


def test_a_failed_call_gives_its_place_back() -> None:
    bulkhead = Bulkhead(1, 0.0)
    for _ in range(3):
        with pytest.raises(KeyError), bulkhead.hold_place():
            raise KeyError
    with pytest.raises(ValueError, match="at least one"):
        Bulkhead(0, 0.0)


def test_calls_out_and_those_that_wait_hold_half_of_the_threads_and_callbacks_have_their_own(
    settings: Settings,
) -> None:
    assert settings.wechat.calls_at_once * 2 * 2 <= RUNNING
    lanes = dict(LANES)
    for path in (OFFICIAL, MINI_PROGRAM):
        assert any(path.startswith(lane) and threads >= 8 for lane, threads in lanes.items())
    assert not any("/api/v1/login".startswith(lane) for lane in lanes)
