"""The door: bounds, echoes, repeats, deadlines, outages. Requests are bare WSGI."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.base.errors import Unavailable
from server.wechat.callback.inbound import LIMIT_BYTES
from tests.kit.callback_handlers import PATH, RecordingDoor, Stand
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import Reached, WeChatSide, an_app, as_json, knock, xml_event, xml_text

MODES = ("plain", "compatible", "safe")
TYPE = "Content-Type"


@pytest.fixture(params=MODES)
def side(request: pytest.FixtureRequest, clock: FakeClock) -> WeChatSide:
    return WeChatSide(an_app(request.param), clock)


@pytest.fixture
def plain_side(clock: FakeClock) -> WeChatSide:
    return WeChatSide(an_app("plain"), clock)


@pytest.fixture
def kv_name(tmp_path: object) -> str:
    return f"fake:{tmp_path}"


@pytest.fixture
def stand(side: WeChatSide, kv_name: str) -> Iterator[Stand]:
    made = Stand(side, kv_name)
    yield made
    made.deadline_runner.drain_handlers()


@pytest.fixture
def plain_stand(plain_side: WeChatSide, kv_name: str) -> Iterator[Stand]:
    made = Stand(plain_side, kv_name)
    yield made
    made.deadline_runner.drain_handlers()


def send(stand: Stand, plain: bytes, nonce: str = "1", **environ: object) -> Reached:
    side = WeChatSide(stand.handler.side.app, stand.clock, nonce=nonce)
    query, body = side.push(plain)
    return knock(stand.webhook, PATH, query, body, **environ)


def content(reached: Reached) -> str:
    assert reached.status == 200
    return reached.body.decode().split("<Content><![CDATA[")[1].split("]]>")[0]


def test_other_addresses_go_on_untouched(plain_stand: Stand) -> None:
    reached = knock(plain_stand.webhook, "/api/v1/contests", {}, b"{}")
    assert (reached.status, reached.body) == (204, b"/api/v1/contests")
    assert plain_stand.observed.told == []


def test_the_echo_comes_back_unchanged_as_plain_text(stand: Stand) -> None:
    query = stand.handler.side.query() | {"echostr": "7<script>&+ %"}
    reached = knock(stand.webhook, PATH, query)
    assert (reached.status, reached.body) == (200, b"7<script>&+ %")
    assert reached.headers[TYPE] == "text/plain; charset=utf-8"
    assert reached.headers["X-Content-Type-Options"] == "nosniff"
    assert stand.outcomes == ["echo"]


def test_a_forged_address_check_is_403(stand: Stand) -> None:
    query = stand.handler.side.query() | {"echostr": "7", "signature": "0" * 40}
    reached = knock(stand.webhook, PATH, query)
    assert reached.status == 403
    assert b'"code":"signature_refused"' in reached.body
    assert stand.outcomes == ["signature_refused"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "get"])
def test_other_methods_are_405(plain_stand: Stand, method: str) -> None:
    reached = knock(plain_stand.webhook, PATH, {}, b"", REQUEST_METHOD=method)
    assert (reached.status, reached.headers["Allow"]) == (405, "GET, POST")
    assert (reached.body == b"") is (method == "HEAD")


class Untouched(io.BytesIO):
    """A body that must not be read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("the body was read")


@pytest.mark.parametrize(
    ("length", "status"),
    [
        (str(LIMIT_BYTES + 1), 413),
        ("99999999999999", 413),
        ("9" * 5000, 400),
        ("-1", 400),
        ("1e3", 400),
        ("+5", 400),
        ("５", 400),
        ("5, 5", 400),
    ],
)
def test_a_length_is_judged_before_anything_is_read(
    plain_stand: Stand, length: str, status: int
) -> None:
    environ = {"CONTENT_LENGTH": length, "wsgi.input": Untouched()}
    assert send(plain_stand, xml_text(), **environ).status == status


def test_a_body_of_exactly_the_limit_is_read(plain_stand: Stand) -> None:
    filler = LIMIT_BYTES - len(xml_text("")) - len("<a></a>")
    body = xml_text("", extra="<a>" + "x" * filler + "</a>")
    assert len(body) == LIMIT_BYTES
    assert send(plain_stand, body).status == 200


def test_a_body_without_length_needs_a_server_that_ends_it(plain_stand: Stand) -> None:
    missing = {"CONTENT_LENGTH": None}
    assert send(plain_stand, xml_text(), **missing).status == 411
    ended = {**missing, "wsgi.input_terminated": True}
    assert send(plain_stand, xml_text(), **ended).status == 200
    assert send(plain_stand, b"x" * (LIMIT_BYTES + 1), **ended).status == 413
    assert send(plain_stand, b"x" * LIMIT_BYTES * 3, **ended).status == 413


def test_a_body_that_breaks_off_is_400(plain_stand: Stand) -> None:
    assert send(plain_stand, xml_text(), CONTENT_LENGTH="5000").status == 400


class Broken(io.BytesIO):
    def read(self, *_: object) -> bytes:
        raise ConnectionResetError


def test_a_client_that_leaves_is_400(plain_stand: Stand) -> None:
    assert send(plain_stand, xml_text(), **{"wsgi.input": Broken()}).status == 400


def test_a_body_that_comes_in_crumbs_is_read(plain_stand: Stand) -> None:
    class Crumbs(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 7))

    query, body = plain_stand.handler.side.push(xml_text())
    reached = knock(plain_stand.webhook, PATH, query, body, **{"wsgi.input": Crumbs(body)})
    assert content(reached) == "hello number 1"


@pytest.mark.parametrize(
    "query",
    [
        "signature=a&signature=b",
        "a=" + "x" * 4096,
        "&".join(f"a{n}=1" for n in range(40)),
        "timestamp=%FF%FE&nonce=%00&signature=%ED%A0%80",
        "\xff\xfe=1",
        "%",
        "",
    ],
)
def test_an_odd_query_is_refused(plain_stand: Stand, query: str) -> None:
    assert knock(plain_stand.webhook, PATH, query, xml_text()).status in (400, 403)


def test_a_keyword_is_answered_in_every_mode_and_form(stand: Stand) -> None:
    reached = send(stand, xml_text())
    assert reached.status == 200
    assert reached.headers[TYPE] == "application/xml; charset=utf-8"
    encrypted = stand.handler.side.app.mode != "plain"
    assert reached.body.startswith(b"<xml><Encrypt>") == encrypted
    assert send(stand, as_json(MsgId=7), nonce="2").body.startswith(b"<xml>")
    assert stand.outcomes == ["replied", "replied"]


def test_nothing_to_say_is_success(stand: Stand) -> None:
    reached = send(stand, xml_text().replace(b"[text]", b"[image]"))
    assert (reached.status, reached.body) == (200, b"success")
    assert stand.outcomes == ["silent"]


def test_a_repeat_gets_the_first_reply_though_it_would_be_another_now(plain_stand: Stand) -> None:
    first = send(plain_stand, xml_text())
    plain_stand.clock.advance(5)
    again = [send(plain_stand, xml_text(), nonce=str(n)) for n in range(2, 5)]
    assert {one.body for one in again} == {first.body}
    assert plain_stand.outcomes == ["replied", "repeat", "repeat", "repeat"]


@pytest.mark.parametrize(
    "foreign", [b"", b"text", b"\xff", b'{"x":' + b"[" * 20_000, b'{"kind":7}']
)
def test_a_foreign_reply_in_redis_is_as_good_as_none(
    plain_stand: Stand, plain_side: WeChatSide, foreign: bytes
) -> None:
    plain_stand.once.put_value(plain_side.opened(xml_text()).key, foreign, 60)
    answer = send(plain_stand, xml_text())
    assert answer.status == 200
    assert content(answer)
    assert plain_stand.outcomes == ["replied"]


def test_the_same_request_again_is_a_repeat(stand: Stand) -> None:
    query, body = stand.handler.side.push(xml_text())
    answers = [knock(stand.webhook, PATH, query, body).status for _ in range(3)]
    assert answers == [200, 200, 200]
    assert stand.outcomes == ["replied", "repeat", "repeat"]


@pytest.mark.parametrize("lie", [xml_text("hello", msg_id="2"), xml_text("rank", msg_id="3")])
def test_a_signature_is_good_for_one_content(plain_stand: Stand, lie: bytes) -> None:
    query, body = plain_stand.handler.side.push(xml_text())
    assert knock(plain_stand.webhook, PATH, query, body).status == 200
    reached = knock(plain_stand.webhook, PATH, query, lie)
    assert (reached.status, plain_stand.outcomes[-1]) == (403, "signature_refused")
    assert plain_stand.handler.done == {}
    # The lie has left nothing behind for the true message of the same id.
    honest = send(plain_stand, lie, nonce="99")
    assert honest.status == 200
    assert plain_stand.outcomes[-1] in ("replied", "handled")


def test_a_safe_repeat_may_be_encrypted_anew_under_the_same_signature(clock: FakeClock) -> None:
    stand = Stand(WeChatSide(an_app("safe"), clock), "fake:anew")
    query, body = stand.handler.side.push(xml_text("rank"))
    assert knock(stand.webhook, PATH, query, body).status == 200
    assert send(stand, xml_text("rank"), nonce=stand.handler.side.nonce).status == 200
    assert stand.outcomes == ["handled", "repeat"]
    stand.deadline_runner.drain_handlers()


def test_an_effect_is_done_once_however_often_it_is_repeated(plain_stand: Stand) -> None:
    replies = [content(send(plain_stand, xml_text("rank"), nonce=str(n))) for n in range(4)]
    assert replies == ["row 1"] * 4
    assert plain_stand.outcomes == ["handled", "repeat", "repeat", "repeat"]
    assert len(plain_stand.handler.done) == 1


def test_an_event_is_handled_and_answered(plain_stand: Stand) -> None:
    assert content(send(plain_stand, xml_event("subscribe"))) == "row 1"


def test_parallel_repeats_in_one_process_start_one_handler(plain_stand: Stand) -> None:
    handler = plain_stand.handler
    handler.may_end.clear()
    with ThreadPoolExecutor(1) as other:
        first = other.submit(send, plain_stand, xml_text("rank"), "1")
        assert handler.begun.wait(60)
        repeats = [send(plain_stand, xml_text("rank"), nonce=str(n)).body for n in (2, 3)]
        handler.may_end.set()
        assert content(first.result(10)) == "row 1"
    assert repeats == [b"success", b"success"]
    assert plain_stand.outcomes == ["busy", "busy", "handled"]
    assert content(send(plain_stand, xml_text("rank"), nonce="4")) == "row 1"


def test_parallel_repeats_in_two_processes_get_the_reply_of_the_one_row(
    plain_side: WeChatSide, kv_name: str
) -> None:
    handler = RecordingDoor(plain_side)
    stands = [Stand(plain_side, kv_name, handler=handler) for _ in range(2)]
    handler.may_end.clear()
    with ThreadPoolExecutor(2) as others:
        sent = [others.submit(send, s, xml_text("rank"), str(n)) for n, s in enumerate(stands)]
        assert handler.begun.wait(60)
        handler.may_end.set()
        replies = [content(one.result(10)) for one in sent]
    assert replies == ["row 1", "row 1"]
    assert len(handler.done) == 1
    for stand in stands:
        stand.deadline_runner.drain_handlers()


def test_a_process_that_died_at_work_leaves_the_message_to_the_repeat(
    plain_side: WeChatSide, kv_name: str
) -> None:
    dead = Stand(plain_side, kv_name)
    message = plain_side.opened(xml_text("rank"))
    dead.once.remember_pair(message.replay_key, message.digest.encode(), message.key, b"begun", 60)
    alive = Stand(plain_side, kv_name)
    assert content(send(alive, xml_text("rank"), nonce="2")) == "row 1"
    for stand in (dead, alive):
        stand.deadline_runner.drain_handlers()


def test_a_slow_handler_is_answered_with_success_and_says_its_reply_later(
    plain_side: WeChatSide, kv_name: str
) -> None:
    stand = Stand(plain_side, kv_name, answer_seconds=0.05)
    stand.handler.may_end.clear()
    assert send(stand, xml_text("rank")).body == b"success"
    assert send(stand, xml_text("rank"), nonce="2").body == b"success"
    assert stand.outcomes == ["late", "busy"]
    assert stand.handler.lately == []
    stand.handler.may_end.set()
    assert stand.handler.told_late.wait(60)
    stand.deadline_runner.drain_handlers()
    key = plain_side.opened(xml_text("rank")).key
    assert [(k, r.text) for k, r in stand.handler.lately] == [(key, "row 1")]
    assert stand.late_outcomes.told == [("late_said",)]
    assert content(send(stand, xml_text("rank"), nonce="3")) == "row 1"


def test_a_slow_handler_that_fails_at_last_is_told_to_the_operator(
    plain_side: WeChatSide, kv_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    class FailsAtLast(RecordingDoor):
        def apply_effects(self, message: object) -> None:
            assert self.may_end.wait(60)
            raise RuntimeError("in the end")

    stand = Stand(plain_side, kv_name, answer_seconds=0.05, handler=FailsAtLast(plain_side))
    stand.handler.may_end.clear()
    assert send(stand, xml_text("rank")).body == b"success"
    stand.handler.may_end.set()
    stand.deadline_runner.drain_handlers()
    assert stand.late_outcomes.told == [("late_failed",)]
    assert [r.levelname for r in caplog.records] == ["ERROR"]


def test_when_all_threads_are_taken_the_message_is_left_to_the_repeat(
    plain_side: WeChatSide, kv_name: str
) -> None:
    stand = Stand(plain_side, kv_name, answer_seconds=0.05, threads=1)
    stand.handler.may_end.clear()
    assert send(stand, xml_text("rank")).body == b"success"
    refused = send(stand, xml_text("other", msg_id="2"), nonce="2")
    assert (refused.status, "Retry-After" in refused.headers) == (503, True)
    stand.handler.may_end.set()
    stand.deadline_runner.drain_handlers()
    again = Stand(plain_side, kv_name, handler=stand.handler)
    assert content(send(again, xml_text("other", msg_id="2"), nonce="3")) == "row 2"
    again.deadline_runner.drain_handlers()


def test_an_outage_is_503_and_the_repeat_does_it(plain_stand: Stand) -> None:
    plain_stand.handler.failing.append(Unavailable(retry_after_seconds=7))
    refused = send(plain_stand, xml_text("rank"))
    assert (refused.status, refused.headers["Retry-After"]) == (503, "7")
    assert content(send(plain_stand, xml_text("rank"), nonce="2")) == "row 1"
    assert plain_stand.outcomes == ["unavailable", "handled"]


def test_a_mistake_of_ours_is_logged_once_and_left_to_the_repeat(
    plain_stand: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    plain_stand.handler.failing.append(RuntimeError("a mistake"))
    refused = send(plain_stand, xml_text("rank"), HTTP_X_REQUEST_ID="req-1")
    assert (refused.status, refused.headers["X-Request-Id"]) == (503, "req-1")
    assert b"mistake" not in refused.body
    assert [r.getMessage() for r in caplog.records] == ["a callback failed"]
    assert content(send(plain_stand, xml_text("rank"), nonce="2")) == "row 1"
    assert plain_stand.outcomes == ["failed_RuntimeError", "handled"]


def test_without_redis_everything_is_answered_and_the_row_keeps_it_once(
    plain_side: WeChatSide,
) -> None:
    stand = Stand(plain_side, "unix:///nowhere/kv.sock")
    assert content(send(stand, xml_text())) == "hello number 1"
    assert content(send(stand, xml_text("rank"), nonce="2")) == "row 1"
    assert content(send(stand, xml_text("rank"), nonce="3")) == "row 1"
    assert len(stand.handler.done) == 1
    stand.deadline_runner.drain_handlers()


def test_forty_parallel_copies_without_redis_do_one_thing(plain_side: WeChatSide) -> None:
    stand = Stand(plain_side, "unix:///nowhere/kv.sock")
    together = threading.Barrier(8)

    def one(number: int) -> bytes:
        together.wait(60)
        return send(stand, xml_text("rank"), nonce=str(number)).body

    with ThreadPoolExecutor(8) as others:
        bodies = set(others.map(one, range(40)))
    assert len(stand.handler.done) == 1
    assert all(body == b"success" or b"row 1" in body for body in bodies)
    stand.deadline_runner.drain_handlers()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abc-1.2_3", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ("a\r\nSet-Cookie: b", False),
        ("密", False),
        ("", False),
    ],
)
def test_a_request_id_is_kept_when_well_formed_and_made_otherwise(
    plain_stand: Stand, given: str, kept: bool
) -> None:
    for reached in (
        send(plain_stand, xml_text(), HTTP_X_REQUEST_ID=given),
        knock(plain_stand.webhook, PATH, {}, b"", HTTP_X_REQUEST_ID=given),
        knock(plain_stand.webhook, PATH, {}, None, HTTP_X_REQUEST_ID=given),
    ):
        shown = reached.headers["X-Request-Id"]
        assert (shown == given) is kept
        assert shown.isascii()
        assert 1 <= len(shown) <= 64


def test_every_answer_is_counted_with_its_path_and_time(plain_stand: Stand) -> None:
    send(plain_stand, xml_text())
    knock(plain_stand.webhook, PATH, {}, b"x")
    assert plain_stand.observed.told == [(PATH, "replied", 0.0), (PATH, "signature_refused", 0.0)]


def test_no_key_in_redis_holds_an_openid_or_words(plain_stand: Stand) -> None:
    send(plain_stand, xml_text("rank and secret words"))
    send(plain_stand, xml_event("subscribe"), nonce="2")
    keys = plain_stand.kv.run_command("KEYS", "*")
    assert isinstance(keys, list)
    assert len(keys) == 4
    for key in keys:
        assert isinstance(key, bytes)
        whole = key + (plain_stand.kv.run_command("GET", key) or b"")  # type: ignore[operator]
        assert b"oCitizen" not in whole
        assert b"secret" not in whole
