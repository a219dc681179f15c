"""The table of handlers."""

from __future__ import annotations

import pytest

from server.wechat.replies import Reply
from server.wechat.router import Handler, Router
from tests.kit.clock import FakeClock
from tests.wechat.kit import WeChatSide, an_app, xml_event, xml_text

SAID = Reply.of_text("said")


@pytest.fixture
def side(clock: FakeClock) -> WeChatSide:
    return WeChatSide(an_app("plain"), clock)


def test_a_message_goes_to_the_handler_of_its_kind(side: WeChatSide) -> None:
    router = Router([Handler(kind="text", pure=lambda m: Reply.of_text(m.content * 2))])
    assert router.pure(side.opened(xml_text("ab"))) == Reply.of_text("abab")


def test_an_event_goes_to_the_handler_of_its_name_whatever_the_case(side: WeChatSide) -> None:
    router = Router(
        [
            Handler(event="SCAN", effects=lambda _m: SAID),
            Handler(event="subscribe", effects=lambda _m: None),
        ]
    )
    scan, follow = side.opened(xml_event("scan")), side.opened(xml_event("subscribe"))
    assert router.pure(scan) is None
    assert router.effects(scan) == SAID
    assert router.effects(follow) == Reply()


def test_what_nobody_handles_says_nothing_and_has_no_effects(side: WeChatSide) -> None:
    router = Router([Handler(event="subscribe", effects=lambda _m: SAID)])
    for plain in (xml_text(), xml_event("view"), xml_event("something_new")):
        assert router.pure(side.opened(plain)) == Reply()
        assert router.effects(side.opened(plain)) == Reply()


def test_a_handler_may_leave_some_messages_to_its_effects(side: WeChatSide) -> None:
    handler = Handler(
        kind="text", pure=lambda m: SAID if m.content == "hi" else None, effects=lambda _m: SAID
    )
    router = Router([handler])
    assert router.pure(side.opened(xml_text("hi"))) == SAID
    assert router.pure(side.opened(xml_text("rank"))) is None


def test_a_pure_handler_that_has_no_words_says_nothing(side: WeChatSide) -> None:
    router = Router([Handler(kind="text", pure=lambda _m: None)])
    assert router.pure(side.opened(xml_text())) == Reply()


def test_two_handlers_for_one_place_are_refused() -> None:
    twice = [
        Handler(event="SCAN", effects=lambda _m: None),
        Handler(event="scan", pure=lambda _m: SAID),
    ]
    with pytest.raises(ValueError, match="two handlers"):
        Router(twice)


def test_a_handler_without_anything_to_do_is_refused() -> None:
    with pytest.raises(ValueError, match="does nothing"):
        Router([Handler(event="scan")])
