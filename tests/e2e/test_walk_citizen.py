"""A citizen walks through all that is the citizen's own; each page is measured in both looks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.hand import REFUSED, Hand, answer, citizen, hand_of, right_options
from tests.e2e.outside import ROOT, Citizen, Demo
from tests.e2e.phone import browser
from tests.e2e.test_pages_need import judged

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
KEYS = right_options()
CAMPAIGN = ROOT / "config" / "campaign" / "2020" / "campaign.json"
TITLE = "年八桂科普大行动"
# Stands for a name that the organisers have not given yet: it is no word of any language.
TITLE_ZA = "Xxxx Yyyy Zzzz 2020"
TIMED, TIMED_TITLE = "nanjing", "每题限时赛"
# No service posts announcements yet: this speaks to the slice that keeps them.
POST = """
import sys
from server.accounts import service as accounts
from server.app import open_application
from server.base.settings_reader import load_settings
from server.notices import service as notices
application = open_application(load_settings())
with application.uow_factory.begin() as uow:
    who = accounts.citizen_of_openid(uow, "mini_program", sys.argv[1], create=False)
    moved = notices.Letter(key="a", title="讲座改期", body="改在周六上午九点，地点不变。")
    fresh = notices.Letter(key="b", title="有新讲座", body="来听。", not_pushed_reason="没有次数")
    assert notices.post_message(uow, who, moved)
    assert notices.post_message(uow, who, fresh)
"""


@pytest.fixture(scope="module")
def demo(demo: Demo) -> Demo:
    """With a name in both scripts, and a second contest whose questions have times of their own."""
    file = demo.var / "campaign.json"
    facts = json.loads(CAMPAIGN.read_text(encoding="utf-8"))
    facts["campaign"]["title_za"] = TITLE_ZA
    file.write_text(json.dumps(facts), encoding="utf-8")
    timed = ("open-contest", TIMED, "--preset", "nanjing-2018", "--title", TIMED_TITLE)
    for words in (("load-campaign", str(file)), timed):
        done = demo.command(*words)
        assert done.returncode == 0, done.stderr
    return demo


def test_a_child_needs_a_guardian_to_agree(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    child = Citizen.born(demo, "小莫")
    with hand_of(browser, demo, child.person, tmp_path) as hand:
        hand.go("pages/mine/index")
        hand.sees("还没有昵称")
        hand.measure("mine-before-consent")
        hand.tap("看隐私规则")
        hand.sees("开始之前")
        hand.tap("看完整的隐私规则")
        hand.sees("我们保存什么")
        hand.measure("privacy")
        hand.page.frame_locator("iframe").get_by_role("button", name="返回").tap()
        hand.tap("我同意")
        hand.hears("请先选你的年龄")
        hand.tap("未满 14 周岁")
        hand.sees("请让监护人看过规则")
        hand.measure("guardian")
        hand.tap("我是监护人，我同意")
        hand.hears("请填写监护人的姓名和关系")
        hand.here.get_by_label("监护人", exact=True).locator("input").fill("莫大山")
        hand.here.get_by_label("关系", exact=True).locator("input").fill("父亲")
        hand.tap("我是监护人，我同意")
        hand.hears("谢谢，记下了")
        hand.sees("我的名次")
        hand.misses("看隐私规则")


def test_a_profile_is_filled_in_by_the_sheets_of_wechat(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    wei = Citizen.born(demo, "韦小妹")
    wei.log_in()
    wei.agree()
    with hand_of(browser, demo, wei.person, tmp_path) as hand:
        sheet = hand.page.get_by_role("dialog")
        hand.go("packages/mine/profile/index")
        hand.sees("换头像")
        hand.measure("profile")
        hand.tap("换头像")
        sheet.get_by_role("button", name="同意", exact=True).tap()
        sheet.get_by_role("button", name="用微信头像").tap()
        hand.hears("头像收到了")
        hand.here.get_by_label("昵称", exact=True).locator("input").tap()
        sheet.get_by_role("button", name="用微信昵称：韦小妹").tap()
        expect(hand.here.get_by_label("昵称", exact=True).locator("input")).to_have_value("韦小妹")
        hand.hears("已保存")
        pick_place(hand)
        hand.tap("老年人")
        expect(hand.here.get_by_role("button", name="老年人")).to_have_attribute(
            "aria-pressed", "true"
        )
        hand.here.get_by_role("switch", name="榜上显示完整昵称").tap()
        expect(hand.here.get_by_role("switch")).to_have_attribute("aria-checked", "true")
        hand.tap("使用微信的手机号")
        sheet.get_by_role("button", name="允许", exact=True).tap()
        hand.sees("****")
        hand.measure("profile-filled")
        assert judged(wei)["avatar_state"] == "shown"
        hand.go("pages/mine/index")
        hand.here.locator(".avatar img").evaluate("(picture) => picture.decode()")
        hand.sees("韦小妹")
        hand.measure("mine")
    me = wei.api("GET", "/me").body
    assert (me["city"], me["county"], me["audience"]) == ("450100", "450102", "elder")
    assert me["public_rank"] is True
    assert me["unit_name"] == "南宁市科学技术协会"


def pick_place(hand: Hand) -> None:
    hand.tap("县区")
    hand.hears("请先选城市")
    hand.tap("城市")
    hand.sees("桂林市")
    hand.measure("cities")
    hand.here.get_by_role("radio", name="南宁市").tap()
    hand.sees("南宁市")
    hand.tap("县区")
    hand.here.get_by_role("radio", name="兴宁区").tap()
    hand.sees("兴宁区")
    hand.tap("单位")
    hand.sees("选好单位，你的成绩会算进单位榜")
    hand.here.locator("input").fill("没有这样的单位")
    hand.tap("查找")
    hand.sees("没有找到这个单位")
    hand.measure("unit-missing")
    hand.tap("申请登记“没有这样的单位”")
    hand.hears("已经送出")
    hand.sees("等待办理")
    hand.here.locator("input").fill("南宁市")
    hand.tap("查找")
    hand.sees("南宁市科学技术协会")
    hand.measure("units")
    hand.tap("南宁市科学技术协会")
    hand.titled("我的资料")
    hand.sees("南宁市科学技术协会")


def test_reminders_are_counted_and_messages_come_into_the_inbox(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    lan = citizen(demo, "蓝阿婆")
    with hand_of(browser, demo, lan.person, tmp_path) as hand:
        sheet = hand.page.get_by_role("dialog")
        hand.go("packages/mine/inbox/index")
        hand.sees("还没有消息")
        hand.measure("inbox-empty")
        hand.tap("选想收的通知")
        hand.sees("微信提醒")
        hand.measure("subscriptions")
        hand.sees("讲座开始提醒")
        hand.tap("设定时间")
        hand.here.get_by_role("radio", name="22:00").tap()
        hand.here.get_by_role("radio", name="07:00").tap()
        hand.sees("22:00 到第二天 07:00 不打扰")
        hand.tap("取消免打扰")
        hand.sees("没有设免打扰时间")
        for words, left in (("允许", "1"), ("拒绝", "1"), ("允许", "2")):
            hand.tap("要一条")
            sheet.get_by_role("button", name=words, exact=True).tap()
            expect(sheet).to_be_hidden()
            hand.sees(f"还可以收 {left} 条")
        hand.measure("subscriptions-asked")
        post(demo, lan)
        hand.go("packages/mine/inbox/index")
        hand.sees("改在周六上午九点")
        hand.sees("没有推送到微信：没有次数")
        hand.sees("2 条还没看")
        hand.measure("inbox")
        hand.tap("有新讲座")
        hand.titled("通知")
        hand.sees("没有推送到微信：没有次数")
        hand.measure("message")
        hand.go("packages/mine/inbox/index")
        hand.sees("1 条还没看")
        hand.tap("全部标为已看")
        expect(hand.here.get_by_text("条还没看")).to_have_count(0)


def test_topics_are_turned_off_and_all_announcements_with_one_tap(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    qin = citizen(demo, "覃小妹")
    with hand_of(browser, demo, qin.person, tmp_path) as hand:
        hand.go("packages/mine/subscriptions/index")
        hand.sees("接收科普通知")
        caravan = hand.here.get_by_role("switch", name="科普大篷车")
        expect(caravan).to_have_attribute("aria-checked", "true")
        caravan.tap()
        expect(caravan).to_have_attribute("aria-checked", "false")
        hand.tap("换城市")
        hand.here.get_by_role("radio", name="桂林市").tap()
        hand.sees("桂林市")
        hand.here.get_by_role("switch", name="公众号里也通知我").tap()
        hand.measure("subscriptions-topics")
        hand.here.get_by_role("switch", name="接收科普通知").tap()
        hand.sees("已经停收")
        expect(caravan).to_have_count(0)
        hand.measure("subscriptions-stopped")
        hand.here.get_by_role("switch", name="接收科普通知").tap()
        expect(caravan).to_have_attribute("aria-checked", "false")
        me = qin.api("GET", "/me").body
        assert (me["muted_topics"], me["announcements_off"], me["city"]) == (
            ["caravan"], False, "450300",
        )  # fmt: skip
        assert "quiz" in me["topics"]
        assert "caravan" not in me["topics"]


def post(demo: Demo, who: Citizen) -> None:
    done = subprocess.run(
        [sys.executable, "-c", POST, who.openid_mp], cwd=ROOT, env=demo.environment,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_language_without_wordings_is_not_offered_and_the_name_stays_in_both_scripts(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    mo = citizen(demo, "莫一")
    with hand_of(browser, demo, mo.person, tmp_path) as hand:
        hand.go("packages/mine/settings/index")
        hand.sees("大字模式")
        hand.misses("Vahcuengh")
        hand.measure("settings")
        hand.go("pages/home/index")
        hand.sees(TITLE)
        hand.sees(TITLE_ZA)
        hand.measure("home-both-scripts")


def test_the_programmes_are_listed_and_each_is_told(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    wei = Citizen.born(demo, "韦大叔")
    with hand_of(browser, demo, wei.person, tmp_path) as hand:
        hand.go("pages/programme/index")
        hand.sees("正在进行")
        hand.measure("programmes")
        hand.tap("联合行动")
        hand.misses("网络竞赛")
        hand.measure("joint")
        hand.here.locator(".line").first.tap()
        hand.titled("活动详情")
        hand.sees("开展单位")
        hand.measure("joint-detail")
        hand.go("packages/programme/detail/index?slug=quiz-contest")
        hand.sees("主办单位")
        hand.measure("detail")
        hand.tap("去答题")
        hand.titled("网络竞赛")
        hand.tap("看全部规则")
        hand.titled("竞赛规则")
        hand.sees("规则版本")
        hand.measure("rules")


def test_all_that_is_held_is_shown_and_erased_and_one_comes_back_as_somebody_new(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    tan = citizen(demo, "谭大姐")
    with hand_of(browser, demo, tan.person, tmp_path) as hand:
        hand.go("packages/mine/data/index")
        hand.measure("data")
        hand.tap("查看")
        hand.sees("谭大姐")
        hand.sees("对隐私规则的同意")
        for kind in tan.api("GET", "/me/export").body["held"]:
            # Every kind of record has a name of its own in the list.
            expect(hand.here.locator(".line-name").get_by_text(kind, exact=True)).to_have_count(0)
        hand.measure("data-shown")
        hand.tap("复制原始记录")
        hand.page.get_by_role("dialog").get_by_role("button", name="同意", exact=True).tap()
        hand.hears("已经复制")
        hand.tap("注销并删除我的数据", at=1)
        hand.hears("也不能恢复")
        hand.answers("取消")
        hand.tap("注销并删除我的数据", at=1)
        hand.answers("继续")
        hand.hears("真的要注销吗")
        hand.answers("永久删除")
        hand.titled("八桂科普")
        hand.sees("今天还可以答 1 次")
        hand.go("pages/mine/index")
        hand.sees("还没有昵称")
        hand.sees("看隐私规则")
    assert tan.api("GET", "/me").status == 401


def test_each_question_has_its_own_time_and_the_paper_ends_with_a_result(
    demo: Demo, browser: Browser, tmp_path: Path
) -> None:
    wei = citizen(demo, "韦大哥")
    with hand_of(browser, demo, wei.person, tmp_path, (REFUSED,)) as hand:
        hand.go(f"packages/quiz/round/index?id={TIMED}")
        hand.sees(TIMED_TITLE)
        hand.sees("每题 30 秒")
        hand.measure("timed-round")
        hand.tap("开始答题")
        hand.sees("第 1 题 / 共 20 题")
        for word in ("上一题", "答题卡"):
            hand.misses(word)
        hand.tap("下一题")
        hand.hears("请先回答当前这道题")
        answer(hand, KEYS)
        hand.sees("已保存")
        hand.measure("timed-question")
        hand.tap("下一题")
        hand.sees("第 2 题 / 共 20 题")
        # The time of this question passes on the server, and the phone's clock goes with it.
        demo.emu("POST", "clock", {"offset_s": 31})
        hand.sees("这道题的时间到了")
        hand.measure("timed-over")
        for number in range(3, 21):
            hand.tap("下一题")
            hand.sees(f"第 {number} 题 / 共 20 题")
            answer(hand, KEYS)
        hand.tap("交卷")
        hand.hears("还有 1 道题没有答")
        hand.answers("交卷")
        hand.sees("95分")
        hand.sees("答得很好")
        hand.sees("没答对的 1 道题")
        hand.measure("timed-result")
