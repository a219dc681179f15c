"""From an emulated phone through the webhook to the rows and back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete

from server.accounts.models import Identity
from server.base.jobs import TaskContext, run_until_idle
from server.base.settings import WeChatApp
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import commands, late_replies, loading, models, tasks
from server.channel.callback_handler import official_account_handler
from server.channel.contacts import Contacts
from server.channel.rule_stats import RuleStats
from server.emulator.sender import Outcome
from server.emulator.testing import Emulator, emulated_wechat
from server.organizers import wechat_notices
from server.slices import ANSWERS
from server.wechat.callback.deadline_runner import DeadlineRunner
from server.wechat.callback.inbound import Envelope
from server.wechat.callback.webhook import Webhook
from server.wechat.http_gateway import open_gateway
from tests.kit.accounts import a_citizen
from tests.kit.callback_handlers import beyond
from tests.kit.channel import a_player, at_once, rows
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import OPENID, Reached, WeChatSide, decrypt, knock, xml_event, xml_text

PATH = "/wechat/official/callback"


@dataclass
class Application:
    """The official account's side of the callback, as one process of a fleet."""

    uow_factory: UnitOfWorkFactory
    answers: dict[str, Callable[[UnitOfWork, int | None], str]]
    webhook: Webhook | None = None
    deadline_runner: DeadlineRunner | None = None

    def __post_init__(self) -> None:
        self.contacts = Contacts(self.uow_factory, flush_seconds=None)

    def open(self, app: WeChatApp, *, answer_seconds: float = 60.0) -> Webhook:
        dependencies = self.uow_factory.dependencies
        handler = official_account_handler(
            self.uow_factory,
            Envelope("official_account", app, dependencies.clock),
            answers=self.answers,
            rule_stats=RuleStats(self.uow_factory, flush_seconds=None),
            contacts=self.contacts,
        )
        self.deadline_runner = DeadlineRunner(dependencies.kv.once, answer_seconds=answer_seconds)
        self.webhook = Webhook(
            beyond,
            {PATH: handler},
            dependencies.kv.once,
            dependencies.clock,
            deadline_runner=self.deadline_runner,
        )
        return self.webhook

    def receive(
        self, method: str, url: str, body: bytes, content_type: str, _deadline_s: float
    ) -> Outcome:
        assert self.webhook is not None
        parts = urlsplit(url)
        reached = knock(
            self.webhook,
            parts.path,
            parts.query,
            body,
            REQUEST_METHOD=method,
            CONTENT_TYPE=content_type,
        )
        return Outcome(reached.status, reached.body, 1)


@pytest.fixture
def application(uow_factory: UnitOfWorkFactory) -> Iterator[Application]:
    commands.seed_replies(uow_factory)
    made = Application(uow_factory, dict(ANSWERS))
    yield made
    if made.deadline_runner is not None:
        made.deadline_runner.drain_handlers()


@pytest.fixture
def wechat(application: Application, clock: FakeClock) -> Iterator[Emulator]:
    with emulated_wechat(
        server="http://house.test",
        clock=lambda: clock.now().timestamp(),
        sender=application.receive,
        pause=lambda _seconds: None,
        app_json=loading.MANIFEST,
    ) as emulator:
        application.uow_factory = with_apps(application.uow_factory, emulator)
        application.open(settings_of(emulator, "official_account"))
        yield emulator


def settings_of(wechat: Emulator, name: str) -> WeChatApp:
    app = wechat.apps[name]
    names = ("appid", "secret", "token", "aes_key", "mode", "original_id")
    return WeChatApp(**{key: getattr(app, key) for key in names})


def with_apps(uow_factory: UnitOfWorkFactory, wechat: Emulator) -> UnitOfWorkFactory:
    """The same house whose settings name the apps of this WeChat."""
    settings = uow_factory.dependencies.settings
    known = replace(
        settings.wechat,
        api_base=wechat.api_base,
        mp_base=wechat.mp_base,
        official_account=settings_of(wechat, "official_account"),
        mini_program=settings_of(wechat, "mini_program"),
    )
    return UnitOfWorkFactory(
        uow_factory.engine,
        replace(uow_factory.dependencies, settings=replace(settings, wechat=known)),
    )


@pytest.fixture
def context(wechat: Emulator, application: Application) -> TaskContext:
    dependencies = application.uow_factory.dependencies
    gateway = open_gateway(dependencies.settings.wechat, dependencies, application.uow_factory)
    return TaskContext(uow_factory=application.uow_factory, gateway=gateway)


def answer(attempts: list[dict[str, Any]]) -> str:
    (attempt,) = attempts
    assert attempt["status"] == 200, attempt
    return attempt["reply"]["content"] if attempt["reply"] else ""


def test_a_citizen_follows_asks_taps_and_leaves(wechat: Emulator, context: TaskContext) -> None:
    commands.push_menu(context.uow_factory, context.gateway)
    wei = wechat.create_person("Wei")["person"]
    assert "欢迎" in answer(wechat.follow_account(wei))
    assert "答题" in answer(wechat.say_text(wei, "帮助"))
    assert "竞赛" in answer(wechat.say_text(wei, "答题"))
    contact = answer(wechat.tap_menu(wei, "CONTACT"))
    operator = context.uow_factory.dependencies.settings.operator
    assert operator.phone in contact
    assert operator.complaints in contact
    assert "帮助" in answer(wechat.say_text(wei, "大篷车"))
    appid = wechat.apps["mini_program"].appid
    for written in ("帮助", "活动", "练习", "小程序"):
        assert f'data-miniprogram-appid="{appid}"' in answer(wechat.say_text(wei, written)), written
    for key in ("QUIZ_TODAY", "QUIZ_BOARD", "MY_RESULT", "RULES"):
        assert answer(wechat.tap_menu(wei, key))
    assert answer(wechat.unfollow_account(wei)) == ""
    (row,) = rows(context.uow_factory, models.Follower)
    assert not row.subscribed
    verdicts = {push["verdict"] for push in wechat.list_callbacks()}
    assert verdicts <= {"ok-reply", "ok-success"}, verdicts


def test_the_pushed_menu_is_the_shown_one(wechat: Emulator, context: TaskContext) -> None:
    first = commands.push_menu(context.uow_factory, context.gateway)
    assert any(line.startswith("+") and "每日答题" in line for line in first)
    appid = wechat.apps["mini_program"].appid
    shown = [
        leaf for top in wechat.get_control("menu")["button"] for leaf in top["sub_button"] or [top]
    ]
    opening = [leaf for leaf in shown if leaf["type"] == "miniprogram"]
    assert {(leaf["appid"], leaf["url"]) for leaf in opening} == {
        (appid, "https://mp.weixin.qq.com")
    }
    assert len(opening) == 8
    assert commands.push_menu(context.uow_factory, context.gateway) == ["the live menu is the same"]
    assert [call["errcode"] for call in wechat.list_calls("/cgi-bin/menu/create")] == [0, 0]


def test_a_poster_answers_new_and_old_followers(
    wechat: Emulator, context: TaskContext, clock: FakeClock
) -> None:
    code = commands.scene_code(context.uow_factory, context.gateway, "contest")
    assert commands.scene_code(context.uow_factory, context.gateway, "contest") == code
    wei = wechat.create_person("Wei")
    wechat.scan_code(wei["person"], code.ticket)
    clock.advance(60)
    wechat.scan_code(wei["person"], code.ticket)
    texts = [item["content"] for item in wechat.read_inbox(wei["openid_oa"])]
    assert len(texts) == 2
    welcome, again = texts
    assert welcome.startswith("欢迎扫码")
    assert welcome.endswith(again)
    (row,) = rows(context.uow_factory, models.Follower)
    assert (row.first_scene, row.last_scene) == ("contest", "contest")
    assert len(rows(context.uow_factory, models.SceneVisit)) == 1


def test_who_follows_is_recognised_in_the_background(
    wechat: Emulator, context: TaskContext
) -> None:
    wei = wechat.create_person("Wei")
    wechat.follow_account(wei["person"])
    assert run_until_idle(context, tasks.TASKS) == 1
    assert [row.asking.value for row in rows(context.uow_factory, models.Follower)] == ["known"]
    assert len(wechat.list_calls("/cgi-bin/user/info")) == 1


def test_a_follower_from_before_the_launch_hears_their_result(
    wechat: Emulator, context: TaskContext, application: Application
) -> None:
    application.answers["quiz.my_result"] = lambda _work, citizen_id: f"result of {citizen_id}"
    wei = wechat.create_person("Wei")
    wechat.post_control("apps", open_platform=False)
    wechat.follow_account(wei["person"])
    run_until_idle(context, tasks.TASKS)
    wechat.post_control("apps", open_platform=True)
    with context.uow_factory.begin() as uow:
        player = a_citizen(uow, openid=wei["openid_mp"], unionid=wei["unionid"])
    assert answer(wechat.say_text(wei["person"], "我的成绩")) == "result of None"
    application.uow_factory.dependencies.clock.advance(3600)  # type: ignore[attr-defined]
    assert answer(wechat.say_text(wei["person"], "帮助"))
    application.contacts.flush_contacts()
    run_until_idle(context, tasks.TASKS)
    assert answer(wechat.say_text(wei["person"], "我的成绩")) == f"result of {player.id}"


def test_the_slow_sweep_links_who_never_writes(wechat: Emulator, context: TaskContext) -> None:
    people = [wechat.create_person(name) for name in ("Wei", "Lan", "Mei")]
    for person in people:
        wechat.follow_account(person["person"])
    with context.uow_factory.begin() as uow:
        uow.session.execute(delete(models.Follower))
        uow.session.execute(delete(Identity))
        player = a_citizen(uow, openid=people[1]["openid_mp"], unionid=people[1]["unionid"])
    assert tasks.sweep_followers(context) == 1
    (row,) = rows(context.uow_factory, models.Follower)
    assert row.citizen_id == player.id


def test_a_reply_that_missed_its_time_is_said_once_by_another_way(
    wechat: Emulator, context: TaskContext, application: Application
) -> None:
    may_end, ended = threading.Event(), threading.Event()

    def slow(_work: UnitOfWork, _citizen_id: int | None) -> str:
        assert may_end.wait(60)
        ended.set()
        return "慢慢想出来的回答"

    wei = wechat.create_person("Wei")
    wechat.follow_account(wei["person"])
    assert application.deadline_runner is not None
    application.deadline_runner.drain_handlers()
    application.answers["quiz.today"] = slow
    application.open(settings_of(wechat, "official_account"), answer_seconds=0.05)
    assert answer(wechat.say_text(wei["person"], "答题")) == ""
    may_end.set()
    assert ended.wait(60)
    application.deadline_runner.drain_handlers()
    assert [row.state.value for row in rows(context.uow_factory, models.LateReply)] == ["queued"]
    tasks.say_late(context)
    tasks.say_late(context)
    heard = [item["content"] for item in wechat.read_inbox(wei["openid_oa"])]
    assert heard.count("慢慢想出来的回答") == 1
    assert [row.state.value for row in rows(context.uow_factory, models.LateReply)] == ["said"]


def test_a_late_reply_whose_answer_was_lost_is_not_said_twice(
    wechat: Emulator, context: TaskContext, application: Application
) -> None:
    wei = wechat.create_person("Wei")
    wechat.follow_account(wei["person"])
    wechat.say_text(wei["person"], "帮助")
    with context.uow_factory.begin() as uow:
        late_replies.queue_reply(uow, "k" * 64, wei["openid_oa"], "只说一次")
    wechat.order_fault("/cgi-bin/message/custom/send", mode="accept_then_drop", count=1)
    for _ in range(3):
        tasks.say_late(context)
    heard = [item["content"] for item in wechat.read_inbox(wei["openid_oa"])]
    assert heard.count("只说一次") == 1
    assert [row.state.value for row in rows(context.uow_factory, models.LateReply)] == ["unknown"]


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
@pytest.mark.parametrize(
    "plain",
    [xml_text("答题"), xml_event("subscribe", "<EventKey>qrscene_contest</EventKey>")],
    ids=["word", "follow"],
)
def test_a_repeat_gets_the_same_reply_in_every_mode(
    application: Application, clock: FakeClock, mode: str, plain: bytes
) -> None:
    side = WeChatSide(an_app(mode), clock)
    webhook = application.open(side.app)
    heard = [opened(side, knock(webhook, PATH, *side.push(plain))) for _ in range(3)]
    assert len(set(heard)) == 1
    assert "竞赛" in heard[0]
    assert len(rows(application.uow_factory, models.SeenMessage)) == 1


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_two_senders_with_one_id_hear_each_their_own_result(
    application: Application, clock: FakeClock, mode: str
) -> None:
    application.answers["quiz.my_result"] = lambda _work, citizen_id: f"result of {citizen_id}"
    side = WeChatSide(an_app(mode), clock)
    webhook = application.open(side.app)
    people = {
        openid: a_player(application.uow_factory, openid)
        for openid in ("oCitizen_one", "oCitizen_two")
    }
    plain = xml_text("我的成绩")
    for openid, citizen_id in people.items():
        own = WeChatSide(side.app, clock, nonce=openid)
        pushed = own.push(plain.replace(OPENID.encode(), openid.encode()))
        for _ in range(2):
            assert opened(own, knock(webhook, PATH, *pushed)) == f"result of {citizen_id}"
    seen = rows(application.uow_factory, models.SeenMessage)
    assert {row.citizen_id for row in seen} == set(people.values())


@pytest.mark.race
def test_repeats_at_the_same_moment_do_it_once(application: Application, clock: FakeClock) -> None:
    side = WeChatSide(an_app("safe"), clock)
    webhook = application.open(side.app)
    plain = xml_event("SCAN", "<EventKey>contest</EventKey>")
    reached = at_once([lambda: knock(webhook, PATH, *side.push(plain))] * 6)
    assert {one.status for one in reached} == {200}
    # Whoever comes while the first is at work hears nothing; WeChat asks only one of them.
    assert len({opened(side, one) for one in reached} - {""}) == 1
    assert len(rows(application.uow_factory, models.SeenMessage)) == 1
    assert len(rows(application.uow_factory, models.SceneVisit)) == 1


def test_a_repeat_is_known_also_when_redis_forgot(
    application: Application, clock: FakeClock
) -> None:
    side = WeChatSide(an_app("safe"), clock)
    webhook = application.open(side.app)
    plain = xml_event("SCAN", "<EventKey>contest</EventKey>")
    first = opened(side, knock(webhook, PATH, *side.push(plain)))
    application.uow_factory.dependencies.kv.kv.run_command("FLUSHALL")
    assert opened(side, knock(webhook, PATH, *side.push(plain))) == first
    assert len(rows(application.uow_factory, models.SeenMessage)) == 1


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_a_message_dated_absurdly_is_no_server_error(
    application: Application, clock: FakeClock, mode: str
) -> None:
    webhook = application.open(an_app(mode))
    for created in (0, 999_999_999_999):
        side = WeChatSide(an_app(mode), clock, nonce=str(created))
        reached = knock(webhook, PATH, *side.push(xml_event("subscribe", created=created)))
        assert reached.status == 200


def an_app(mode: str) -> WeChatApp:
    return WeChatApp(
        appid="wx0123456789abcdef",
        secret="s" * 32,
        token="Token7Token7Token7",
        aes_key="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP0",
        mode=mode,
        original_id="gh_0123456789ab",
    )


def opened(side: WeChatSide, reached: Reached) -> str:
    """The text of a reply, decrypted by WeChat's own side; empty for `success`."""
    assert reached.status == 200, reached
    if reached.body == b"success":
        return ""
    document = reached.body.decode()
    if side.app.mode != "plain":
        sealed = document.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
        document = decrypt(side.app.aes_key, side.app.appid, sealed).decode()
    return document.split("<Content><![CDATA[")[1].split("]]>")[0]


def test_an_organizer_gets_no_message_48_hours_after_the_last_word(
    wechat: Emulator, context: TaskContext, clock: FakeClock
) -> None:
    lan = wechat.create_person("Lan")
    wechat.follow_account(lan["person"])
    openid = lan["openid_oa"]
    wechat.say_text(lan["person"], "帮助")
    clock.advance(48 * 3600 - 60)
    said = wechat_notices.send_test(context.gateway, openid, "测试")
    assert said == "organizers.notice.test_sent"
    clock.advance(120)
    said = wechat_notices.send_test(context.gateway, openid, "测试")
    assert said == "organizers.notice.no_window"
    # Another word to the account opens the window again.
    wechat.say_text(lan["person"], "帮助")
    said = wechat_notices.send_test(context.gateway, openid, "测试")
    assert said == "organizers.notice.test_sent"
    texts = [one for one in wechat.read_inbox(openid) if one["content"] == "测试"]
    assert len(texts) == 2
