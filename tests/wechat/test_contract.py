"""The gateway and the door against the emulated WeChat: each case names WeChat's page about it.

The emulator has signatures, AES and rules of its own, so that both sides are held to the protocol.
"""

from __future__ import annotations

import itertools
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from server.base.redis.client import create_client
from server.base.redis.facilities import RedisFacilities, create_facilities
from server.base.settings import WeChatApp
from server.emulator.sender import Outcome
from server.emulator.testing import Emulator, emulated_wechat
from server.wechat import errors
from server.wechat.authorized_client import AuthorizedClient
from server.wechat.callback.deadline_runner import DeadlineRunner
from server.wechat.callback.inbound import Envelope, Message
from server.wechat.callback.replies import Article, Reply
from server.wechat.callback.webhook import Webhook
from server.wechat.errors import WeChatError
from server.wechat.gateway import FollowerPage, TextPlace, Verdict
from server.wechat.http_gateway import HttpGateway
from server.wechat.tokens import TokenService
from server.wechat.transport import Patience, Transport
from tests.kit.callback_handlers import beyond
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import knock

OFFICIAL, MINI = "official_account", "mini_program"
PATHS = {OFFICIAL: "/wechat/official/callback", MINI: "/wechat/miniprogram/callback"}
TOKEN = "/cgi-bin/stable_token"
FORMS = list(itertools.product(("plain", "compatible", "safe"), ("xml", "json")))
MENU = {"button": [{"type": "click", "name": "每日答题", "key": "QUIZ"}]}


class Answering:
    """A door that remembers messages and says what the test wants."""

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope
        self.messages: list[Message] = []
        self.reply = Reply()
        self.failures = 0

    def reply_without_effects(self, message: Message) -> Reply | None:
        return None

    def apply_effects(self, message: Message) -> Reply | None:
        if self.failures:
            self.failures -= 1
            raise errors.WeChatAway
        self.messages.append(message)
        return self.reply

    def deliver_late(self, message: Message, reply: Reply) -> None:
        raise AssertionError("nothing is late here")


@dataclass
class Application:
    """Our side: gateway, doors, and the way by which the emulator's pushes come in."""

    clock: FakeClock
    kit: RedisFacilities
    deadline_runner: DeadlineRunner
    webhook: Webhook | None = None
    handlers: dict[str, Answering] | None = None

    def receive(
        self, method: str, url: str, body: bytes, content_type: str, deadline_s: float
    ) -> Outcome:
        assert self.webhook is not None
        parts = urlsplit(url)
        reached = knock(
            self.webhook,
            parts.path,
            parts.query,
            body if method == "POST" else None,
            CONTENT_TYPE=content_type,
        )
        return Outcome(reached.status, reached.body, 1)

    def listen(self, wechat: Emulator) -> None:
        self.handlers = {
            PATHS[name]: Answering(Envelope(name, settings_of(wechat, name), self.clock))  # type: ignore[arg-type]
            for name in PATHS
        }
        self.webhook = Webhook(
            beyond, self.handlers, self.kit.once, self.clock, deadline_runner=self.deadline_runner
        )


def settings_of(wechat: Emulator, name: str) -> WeChatApp:
    app = wechat.apps[name]
    return WeChatApp(
        appid=app.appid,
        secret=app.secret,
        token=app.token,
        aes_key=app.aes_key,
        mode=app.mode,
        original_id=app.original_id,
    )


@pytest.fixture
def application(clock: FakeClock, tmp_path: object) -> Iterator[Application]:
    kit = create_facilities(create_client(f"fake:{tmp_path}", None, clock), clock)  # type: ignore[arg-type]
    deadline_runner = DeadlineRunner(kit.once, answer_seconds=60.0)
    yield Application(clock=clock, kit=kit, deadline_runner=deadline_runner)
    deadline_runner.drain_handlers()


@pytest.fixture
def wechat(application: Application) -> Iterator[Emulator]:
    with emulated_wechat(
        server="http://house.test",
        clock=lambda: application.clock.now().timestamp(),
        sender=application.receive,
        pause=lambda _seconds: None,
    ) as emulator:
        application.listen(emulator)
        yield emulator


@pytest.fixture
def gateway(wechat: Emulator, application: Application) -> HttpGateway:
    patience = Patience(30.0, 30.0, rest_seconds=0)
    transport = Transport(wechat.api_base, application.clock, patience=patience)
    accounts = {
        name: AuthorizedClient(
            transport,
            TokenService(
                settings_of(wechat, name),
                transport,
                application.kit.shared,
                application.kit.lock,
                application.clock,
                pause=application.clock.advance,
            ),
        )
        for name in PATHS
    }
    return HttpGateway(
        transport,
        settings_of(wechat, MINI),
        accounts,
        official_appid=wechat.apps[OFFICIAL].appid,
        mp_base=wechat.mp_base,
        outside_transaction=lambda: None,
    )


@pytest.fixture
def wei(wechat: Emulator) -> dict[str, Any]:
    return wechat.create_person("Wei")


@pytest.fixture
def handler(application: Application, wechat: Emulator) -> Answering:
    assert application.handlers is not None
    return application.handlers[PATHS[OFFICIAL]]


def said(wechat: Emulator, openid: str) -> list[str]:
    return [item["content"] for item in wechat.read_inbox(openid) if item["kind"] == "text"]


# --- Mini Program, auth.code2Session


def test_a_code_names_its_person_once(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any]
) -> None:
    code = wechat.login_code(wei["person"])
    identity = gateway.code_to_identity(code)
    assert (identity.openid, identity.unionid) == (wei["openid_mp"], wei["unionid"])
    with pytest.raises(errors.BadLoginCode):
        gateway.code_to_identity(code)
    assert wechat.list_calls(TOKEN) == []


def test_a_code_dies_after_five_minutes(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any], clock: FakeClock
) -> None:
    code = wechat.login_code(wei["person"])
    clock.advance(301)
    with pytest.raises(errors.BadLoginCode):
        gateway.code_to_identity(code)


def test_an_invented_code_is_none(gateway: HttpGateway) -> None:
    with pytest.raises(errors.BadLoginCode):
        gateway.code_to_identity("0a1b2c3d4e5f")


# --- Service account, "get a stable interface call credential"


def test_each_app_has_one_token_however_many_calls(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any]
) -> None:
    gateway.code_to_identity(wechat.login_code(wei["person"]))
    for _ in range(5):
        gateway.fetch_follower(wei["openid_oa"])
        gateway.check_text(wei["openid_mp"], "山水", TextPlace.COMMENT)
    asked = wechat.list_calls(TOKEN)
    assert sorted(call["appid"] for call in asked) == sorted(
        app.appid for app in wechat.apps.values()
    )


def test_a_token_is_renewed_before_its_end_and_no_call_is_refused(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any], clock: FakeClock
) -> None:
    for _ in range(40):
        gateway.fetch_follower(wei["openid_oa"])
        clock.advance(290)
    assert {call["errcode"] for call in wechat.list_calls("/cgi-bin/user/info")} == {0}
    assert len(wechat.list_calls(TOKEN)) == 2


def test_a_token_that_died_early_is_replaced_at_the_first_refusal(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any]
) -> None:
    gateway.fetch_follower(wei["openid_oa"])
    wechat.post_control("tokens", expire=True)
    assert not gateway.fetch_follower(wei["openid_oa"]).subscribed
    calls = wechat.list_calls("/cgi-bin/user/info")
    assert [call["errcode"] == 0 for call in calls] == [True, False, True]
    assert len(wechat.list_calls(TOKEN)) == 2


def test_a_wrong_secret_is_told_apart(wechat: Emulator, application: Application) -> None:
    transport = Transport(wechat.api_base, application.clock)
    wrong = WeChatApp(appid=wechat.apps[OFFICIAL].appid, secret="0" * 32)
    tokens = TokenService(
        wrong, transport, application.kit.shared, application.kit.lock, application.clock
    )
    for _ in range(3):
        with pytest.raises(errors.ConfigWrong):
            tokens.valid_token()
    assert len(wechat.list_calls(TOKEN)) == 1


# --- Service account, user management, "get basic user information"


def test_a_follower_is_seen_with_the_way_that_led_here(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any], clock: FakeClock
) -> None:
    assert not gateway.fetch_follower(wei["openid_oa"]).subscribed
    wechat.follow_account(wei["person"], "lecture.7")
    follower = gateway.fetch_follower(wei["openid_oa"])
    assert follower.subscribed
    assert follower.subscribed_at == int(clock.now().timestamp())
    assert follower.unionid == wei["unionid"]
    assert (follower.scene, follower.code_scene) == ("ADD_SCENE_QR_CODE", "lecture.7")
    wechat.unfollow_account(wei["person"])
    assert not gateway.fetch_follower(wei["openid_oa"]).subscribed


def test_a_stranger_is_nobody(gateway: HttpGateway) -> None:
    with pytest.raises(errors.RecipientGone):
        gateway.fetch_follower("oNobody_0123456789abcdefghij")


def test_many_followers_are_told_of_together(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any]
) -> None:
    lan = wechat.create_person("Lan")
    wechat.follow_account(wei["person"])
    one, other = gateway.fetch_followers([wei["openid_oa"], lan["openid_oa"]])
    assert (one.subscribed, one.unionid) == (True, wei["unionid"])
    assert not other.subscribed
    with pytest.raises(errors.RecipientGone):
        gateway.fetch_followers([wei["openid_oa"], "oNobody_0123456789abcdefghij"])


def test_the_list_of_followers_is_read_to_its_end(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any]
) -> None:
    assert gateway.follower_page() == FollowerPage(openids=(), following="")
    lan = wechat.create_person("Lan")
    for person in (wei, lan):
        wechat.follow_account(person["person"])
    page = gateway.follower_page()
    assert page.openids == (wei["openid_oa"], lan["openid_oa"])
    assert page.following == lan["openid_oa"]
    assert gateway.follower_page(wei["openid_oa"]).openids == (lan["openid_oa"],)
    assert gateway.follower_page(page.following) == FollowerPage(openids=(), following="")
    with pytest.raises(errors.RecipientGone):
        gateway.follower_page("oNobody_0123456789abcdefghij")


# --- Service account, custom menu


def test_a_menu_that_was_pushed_is_shown(wechat: Emulator, gateway: HttpGateway) -> None:
    assert gateway.current_menu() is None
    gateway.push_menu(MENU)
    shown = gateway.current_menu()
    assert shown is not None
    (button,) = shown["button"]  # type: ignore[misc]
    assert (button["name"], button["key"]) == ("每日答题", "QUIZ")


def test_a_menu_of_four_buttons_is_refused(gateway: HttpGateway) -> None:
    four = {"button": [{"type": "click", "name": str(n), "key": str(n)} for n in range(4)]}
    with pytest.raises(errors.BadContent):
        gateway.push_menu(four)


# --- Service account, account management, "QR code with parameters"


@pytest.mark.parametrize("permanent", [False, True])
def test_a_scene_code_has_a_picture_and_leads_to_its_scene(
    permanent: bool, wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any], handler: Answering
) -> None:
    code = gateway.scene_code("lecture.7", permanent=permanent)
    with urllib.request.urlopen(code.picture_url) as answer:
        assert answer.read(3) == b"\xff\xd8\xff"
    assert code.expires_in_seconds == (None if permanent else 2_592_000)
    wechat.scan_code(wei["person"], code.ticket)
    wechat.scan_code(wei["person"], code.ticket)
    assert [(m.event, m.scene) for m in handler.messages] == [
        ("subscribe", "lecture.7"),
        ("scan", "lecture.7"),
    ]


# --- Service account, customer service, "send a message"


def test_a_sentence_is_said_while_a_window_is_open(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any]
) -> None:
    wechat.follow_account(wei["person"])
    wechat.say_text(wei["person"], "hello")
    gateway.send_text(wei["openid_oa"], "你好 <b>&")
    assert said(wechat, wei["openid_oa"]) == ["你好 <b>&"]


def test_without_a_window_nothing_is_said(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any], clock: FakeClock
) -> None:
    with pytest.raises(errors.RecipientGone):
        gateway.send_text(wei["openid_oa"], "x")
    wechat.follow_account(wei["person"])
    clock.advance(49 * 3600)
    with pytest.raises(errors.RecipientGone):
        gateway.send_text(wei["openid_oa"], "x")


def test_five_sentences_answer_one_message(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any], clock: FakeClock
) -> None:
    wechat.follow_account(wei["person"])
    clock.advance(120)
    wechat.say_text(wei["person"], "hello")
    for number in range(5):
        gateway.send_text(wei["openid_oa"], str(number))
    with pytest.raises(errors.RecipientGone) as caught:
        gateway.send_text(wei["openid_oa"], "6")
    assert caught.value.errcode == 45047


def test_a_sentence_whose_answer_was_lost_is_said_once_and_in_doubt(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any]
) -> None:
    wechat.follow_account(wei["person"])
    wechat.order_fault("/cgi-bin/message/custom/send", mode="accept_then_drop", count=1)
    with pytest.raises(errors.CallInDoubt):
        gateway.send_text(wei["openid_oa"], "once")
    assert said(wechat, wei["openid_oa"]) == ["once"]


# --- Mini Program, security.msgSecCheck


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("山水", Verdict.PASS), ("[review] x", Verdict.REVIEW), ("[risky] x", Verdict.RISKY)],
)
def test_words_get_their_verdict(
    text: str, verdict: Verdict, wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any]
) -> None:
    gateway.code_to_identity(wechat.login_code(wei["person"]))
    assert gateway.check_text(wei["openid_mp"], text, TextPlace.PROFILE) is verdict


def test_who_was_not_here_for_two_hours_gets_no_verdict(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any], clock: FakeClock
) -> None:
    gateway.code_to_identity(wechat.login_code(wei["person"]))
    clock.advance(2 * 3600 + 1)
    with pytest.raises(errors.RecipientGone) as caught:
        gateway.check_text(wei["openid_mp"], "x", TextPlace.PROFILE)
    assert caught.value.errcode == 61010


def test_the_openid_of_the_other_app_gets_no_verdict(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any]
) -> None:
    with pytest.raises(errors.RecipientGone):
        gateway.check_text(wei["openid_oa"], "x", TextPlace.PROFILE)


# --- Mini Program, wxacode.getUnlimited


def test_a_group_is_the_same_for_all_of_its_members(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any]
) -> None:
    """Source: mini-program, wx.getGroupEnterInfo and the decryption of open data."""
    other = wechat.create_person("Lan")
    entries = []
    for person, group in ((wei, "g1"), (other, "g1"), (wei, "g2")):
        given = wechat.post_control("group_entry", person=person["person"], group=group)
        entry = gateway.group_entry(given["code"], given["encrypted_data"], given["iv"])
        assert entry.openid == person["openid_mp"]
        entries.append(entry.opengid)
    assert entries[0] == entries[1] != entries[2]


def test_a_group_entry_belongs_to_one_log_in(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any]
) -> None:
    given = wechat.post_control("group_entry", person=wei["person"], group="g1")
    later = wechat.login_code(wei["person"])
    with pytest.raises(errors.OpenDataRefused):
        gateway.group_entry(later, given["encrypted_data"], given["iv"])
    gateway.group_entry(given["code"], given["encrypted_data"], given["iv"])
    with pytest.raises(errors.BadLoginCode):
        gateway.group_entry(given["code"], given["encrypted_data"], given["iv"])


def test_a_phone_number_is_told_once_and_to_its_own_person(
    wechat: Emulator, gateway: HttpGateway, wei: dict[str, Any]
) -> None:
    """Source: mini-program, user information, phonenumber.getPhoneNumber."""
    code = wechat.post_control("phone_code", person=wei["person"])["code"]
    with pytest.raises(errors.BadLoginCode):
        gateway.phone_number(wechat.create_person("Lan")["openid_mp"], code)
    number = gateway.phone_number(wei["openid_mp"], code)
    assert (number.country, len(number.number)) == ("86", 11)
    with pytest.raises(errors.BadLoginCode):
        gateway.phone_number(wei["openid_mp"], code)


def test_a_mini_program_code_is_drawn(gateway: HttpGateway) -> None:
    picture = gateway.mini_program_code("a=1", "pages/index/index")
    assert picture[:3] in (b"\xff\xd8\xff", b"\x89PN")


@pytest.mark.parametrize("scene", ["", "中文", "x" * 33, "a%b"])
def test_a_scene_of_other_characters_is_refused(gateway: HttpGateway, scene: str) -> None:
    with pytest.raises(errors.BadContent):
        gateway.mini_program_code(scene, "pages/index/index")


# --- Mini Program, "Changes of authorized users' information" and the verdict of mediaCheckAsync


@pytest.mark.parametrize("form", ["xml", "json"])
def test_a_withdrawal_is_about_the_citizen_and_names_what_is_withdrawn(
    form: str, wechat: Emulator, application: Application, wei: dict[str, Any]
) -> None:
    wechat.post_control("apps", mini_program={"format": form})
    for revoked in ("6", "8"):
        wechat.post_control("authorization", person=wei["person"], event="revoke", revoked=revoked)
    assert application.handlers is not None
    heard = application.handlers[PATHS[MINI]].messages
    assert [(message.event, message.openid, message.fields["RevokeInfo"]) for message in heard] == [
        ("user_authorization_revoke", wei["openid_mp"], revoked) for revoked in ("6", "8")
    ]


def test_a_closed_account_is_told_to_both_doors(
    wechat: Emulator, application: Application, wei: dict[str, Any]
) -> None:
    wechat.post_control("authorization", person=wei["person"], event="cancellation")
    assert application.handlers is not None
    for account, openid in ((OFFICIAL, "openid_oa"), (MINI, "openid_mp")):
        (message,) = application.handlers[PATHS[account]].messages
        assert (message.event, message.openid) == ("user_authorization_cancellation", wei[openid])


# --- Failures on a real line

FAULTS: list[tuple[dict[str, Any], type[WeChatError]]] = [
    ({"errcode": -1}, errors.TryLater),
    ({"errcode": 45009}, errors.QuotaSpent),
    ({"errcode": 48001}, errors.ConfigWrong),
    ({"http": 500}, errors.CallInDoubt),
    ({"http": 502}, errors.CallInDoubt),
    ({"mode": "reset"}, errors.CallInDoubt),
    ({"mode": "truncate"}, errors.CallInDoubt),
    ({"mode": "html"}, errors.CallInDoubt),
    ({"mode": "accept_then_drop"}, errors.CallInDoubt),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS, ids=[str(f[0]) for f in FAULTS])
@pytest.mark.parametrize("path", ["/sns/jscode2session", "/wxa/msg_sec_check", TOKEN])
def test_a_failure_has_its_class_and_no_secret(
    path: str,
    fault: dict[str, Any],
    kind: type[WeChatError],
    wechat: Emulator,
    gateway: HttpGateway,
    wei: dict[str, Any],
) -> None:
    code = wechat.login_code(wei["person"])
    if path != "/sns/jscode2session":
        gateway.code_to_identity(code)
    wechat.order_fault(path, **fault)
    with pytest.raises(WeChatError) as caught:
        if path == "/sns/jscode2session":
            gateway.code_to_identity(code)
        else:
            gateway.check_text(wei["openid_mp"], "x", TextPlace.PROFILE)
    if path == TOKEN and kind in (errors.CallInDoubt, errors.TryLater):
        # The call that waited for the token has surely not been made.
        kind = errors.NotSent
    assert isinstance(caught.value, kind)
    assert caught.value.status == 503
    shown = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    for secret in (wechat.apps[MINI].secret, wechat.apps[OFFICIAL].secret, code):
        assert secret not in shown


# --- Message push: receive, verify, answer


@pytest.mark.parametrize(("mode", "form"), FORMS)
@pytest.mark.parametrize("name", [OFFICIAL])
def test_a_message_is_read_and_answered_in_every_mode_and_form(
    name: str, mode: str, form: str, wechat: Emulator, application: Application, wei: dict[str, Any]
) -> None:
    wechat.post_control("apps", **{name: {"mode": mode, "format": form}})
    application.listen(wechat)
    assert application.handlers is not None
    handler = application.handlers[PATHS[name]]
    handler.reply = Reply.of_text("答案 ]]> <a href='x'>y</a>")
    (attempt,) = wechat.say_text(wei["person"], "答题 <&")
    assert attempt["verdict"] == "ok-reply"
    assert attempt["reply"] == {"kind": "text", "content": handler.reply.text}
    (message,) = handler.messages
    assert (message.kind, message.content, message.openid) == ("text", "答题 <&", wei["openid_oa"])
    assert message.form == form
    assert message.encrypted == (mode != "plain")


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(), "ok-success"),
        (Reply.of_transfer(), "ok-reply"),
        (
            Reply.of_article(Article(title="题", url="https://a/", picture_url="https://a/p")),
            "ok-reply",
        ),
        (Reply.of_text("x" * 5000), "ok-reply"),
        (Reply.of_text("桂" * 3000), "ok-reply"),
    ],
)
def test_every_kind_of_reply_is_taken(
    reply: Reply, verdict: str, wechat: Emulator, wei: dict[str, Any], handler: Answering
) -> None:
    handler.reply = reply
    (attempt,) = wechat.say_text(wei["person"], "hello")
    assert attempt["verdict"] == verdict


def test_the_address_check_is_passed(wechat: Emulator) -> None:
    for name in PATHS:
        checked = wechat.post_control("url_check", app=name)
        assert (checked["ok"], checked["status"]) == (True, 200)


def test_events_arrive_under_our_names(
    wechat: Emulator, wei: dict[str, Any], handler: Answering
) -> None:
    wechat.follow_account(wei["person"], "lecture.7")
    wechat.tap_menu(wei["person"], "QUIZ")
    wechat.unfollow_account(wei["person"])
    seen = [(m.kind, m.event, m.event_key, m.scene) for m in handler.messages]
    assert seen == [
        ("event", "subscribe", "qrscene_lecture.7", "lecture.7"),
        ("event", "click", "QUIZ", ""),
        ("event", "unsubscribe", "", ""),
    ]


def test_a_failure_of_ours_is_made_good_by_the_repeat(
    wechat: Emulator, wei: dict[str, Any], handler: Answering
) -> None:
    handler.failures = 2
    handler.reply = Reply.of_text("at last")
    attempts = wechat.say_text(wei["person"], "hello")
    assert [attempt["status"] for attempt in attempts] == [503, 503, 200]
    assert attempts[-1]["reply"] == {"kind": "text", "content": "at last"}
    assert len(handler.messages) == 1


@pytest.mark.parametrize(
    ("kind", "statuses", "handled"),
    [
        ("wrong_signature", [403], 0),
        ("wrong_key", [403], 0),
        ("wrong_appid", [403], 0),
        ("bad_padding", [403], 0),
        ("plain", [403], 0),
        ("stale", [403], 0),
        ("huge", [413], 0),
        ("unknown_event", [200], 1),
        ("replay", [200, 200], 1),
        ("duplicate", [200, 200], 1),
    ],
)
def test_a_hostile_push_is_refused_and_a_repeat_is_handled_once(
    kind: str,
    statuses: list[int],
    handled: int,
    wechat: Emulator,
    wei: dict[str, Any],
    handler: Answering,
) -> None:
    attempts = wechat.post_control("callback", person=wei["person"], kind=kind)["attempts"]
    assert [attempt["status"] for attempt in attempts] == statuses
    assert len(handler.messages) == handled


def test_parallel_repeats_are_all_answered(
    wechat: Emulator, wei: dict[str, Any], handler: Answering
) -> None:
    handler.reply = Reply.of_text("once")
    pushed = wechat.post_control("callback", person=wei["person"], kind="parallel", times=3)
    verdicts = {attempt["verdict"] for attempt in pushed["attempts"]}
    assert verdicts <= {"ok-reply", "ok-success"}
    assert "ok-reply" in verdicts
    assert len(handler.messages) == 1
