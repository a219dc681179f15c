"""Seeding the replies, pushing the menu, the code of a scene."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from server.audit.models import AuditRecord
from server.base.access import REGION
from server.base.ownership import owned_by
from server.base.settings import WeChatApp
from server.base.uow import UnitOfWorkFactory
from server.channel import commands, loading, models
from server.channel.commands import Seeded
from server.channel.errors import MenuRefused, RepliesRefused, SceneRefused
from server.channel.models import RuleState
from server.wechat.errors import error_of
from server.wechat.gateway import MadeSceneCode
from tests.kit.channel import at_once, rows
from tests.kit.gateway import RecordingGateway


def version(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return loading.book_version(uow)


@pytest.mark.race
def test_seeding_twice_changes_nothing(uow_factory: UnitOfWorkFactory) -> None:
    assert commands.seed_replies(uow_factory) == Seeded(added=144, updated=0, switched_off=0)
    assert version(uow_factory) == 1
    assert commands.seed_replies(uow_factory) == Seeded(added=0, updated=0, switched_off=0)
    assert version(uow_factory) == 1


@pytest.mark.race
def test_seeding_at_the_same_moment_seeds_once(uow_factory: UnitOfWorkFactory) -> None:
    seeded = at_once([lambda: commands.seed_replies(uow_factory)] * 4)
    assert sum(one.added for one in seeded) == 144
    assert len(rows(uow_factory, models.KeywordRule)) == 142


def test_a_new_file_updates_what_nobody_edited(uow_factory: UnitOfWorkFactory) -> None:
    commands.seed_replies(uow_factory)
    with uow_factory.begin() as uow:
        uow.session.execute(
            update(models.KeywordRule)
            .where(models.KeywordRule.slug == "help")
            .values(text="ours", edited=True)
        )
        uow.session.execute(
            update(models.KeywordRule)
            .where(models.KeywordRule.slug == "contact")
            .values(text="of the last version", hits=7)
        )
        uow.session.add(
            models.KeywordRule(
                slug="retired",
                words=["旧"],
                mode=models.Mode.EXACT,
                priority=1,
                text="old",
                state=RuleState.ON,
                **owned_by(REGION),
            )
        )
    assert commands.seed_replies(uow_factory) == Seeded(added=0, updated=1, switched_off=1)
    by_slug = {row.slug: row for row in rows(uow_factory, models.KeywordRule)}
    assert by_slug["help"].text == "ours"
    assert "{operator.phone}" in by_slug["contact"].text
    assert by_slug["contact"].hits == 7
    assert by_slug["retired"].state is RuleState.OFF
    assert version(uow_factory) == 2


def changed(tmp_path: Path, **changes: Any) -> Path:
    document = json.loads(loading.DATA.read_text(encoding="utf-8")) | changes
    path = tmp_path / "replies.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def a_rule(**changes: Any) -> dict[str, Any]:
    return {
        "slug": "a",
        "words": ["b"],
        "mode": "exact",
        "priority": 1,
        "text": "c",
    } | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"keywords": [a_rule(), a_rule()], "clicks": {}},
        {"keywords": [a_rule(words=[])]},
        {"keywords": [a_rule(words=["  "])]},
        {"keywords": [a_rule(text="长" * 700)]},
        {"keywords": [a_rule(text="")]},
        {"keywords": [a_rule(answer="quiz.today")]},
        {"keywords": [a_rule(text=None)]},
        {"keywords": [a_rule(daily=[0, 1441])]},
        {"keywords": [a_rule(mode="regex")]},
        {"keywords": [a_rule(unknown=1)]},
        {"keywords": [a_rule(text="写信到{operator.fax}\n好")], "clicks": {}},
        {"keywords": [a_rule(text="{operator.phone}")], "clicks": {}},
        {"keywords": [a_rule(each="county")], "clicks": {}},
        {"keywords": [a_rule(each="village")], "clicks": {}},
        {"keywords": []},
        {"scenes": [{"scene": "有汉字", "mode": "exact", "text": "c"}]},
        {"scenes": [{"scene": "s", "mode": "exact"}]},
        {"keywords": [a_rule(text="[去](pages/gone/index)")], "clicks": {}},
        {"scenes": [{"scene": "s", "mode": "exact", "text": "[去](pages/gone/index)"}]},
        {"menu": {"button": []}},
        {"schema": "channel-replies/2"},
    ],
)
def test_a_wrong_file_is_refused_with_its_faults(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(RepliesRefused) as refused:
        loading.read_shipped(changed(tmp_path, **changes))
    assert refused.value.facts["faults"]


def test_a_page_that_is_gone_is_refused_with_a_line_of_its_own(tmp_path: Path) -> None:
    gone = {"name": "排行榜", "type": "miniprogram", "pagepath": "packages/quiz/ranks/index"}
    rule = a_rule(slug="program", text="[打开](pages/start/index?a=1)")
    path = changed(tmp_path, keywords=[rule], clicks={}, menu={"button": [gone]})
    with pytest.raises(RepliesRefused) as refused:
        loading.read_shipped(path)
    assert refused.value.facts["faults"] == [
        "program: app.json has no page pages/start/index",
        "排行榜: app.json has no page packages/quiz/ranks/index",
    ]
    assert str(refused.value).startswith("replies_refused; program: app.json has no page pages/")


def test_an_app_json_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "app.json"
    broken.write_text('{"pages": 1}', encoding="utf-8")
    for path in (broken, tmp_path / "nowhere.json"):
        with pytest.raises(RepliesRefused):
            loading.released_pages(path)


def test_the_menu_is_compared_with_the_live_one_before_it_is_pushed(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    commands.seed_replies(uow_factory)
    told: list[str] = []
    old = {"button": [{"name": "旧菜单", "type": "click", "key": "OLD", "sub_button": []}]}
    gateway.answers.update(current_menu=old, push_menu=lambda _menu: told.append("pushed"))
    lines = commands.push_menu(uow_factory, gateway, show=told.append)
    assert told == [*lines, "pushed"]
    assert "-旧菜单 [click key=OLD]" in lines
    assert "+  我的战绩 [click key=MY_RESULT]" in lines
    appid, instead = "wx" + "b" * 16, "https://mp.weixin.qq.com"
    page = "packages/quiz/round/index"
    assert f"+  每日答题 [miniprogram appid={appid} pagepath={page} url={instead}]" in lines
    ((menu,),) = gateway.called("push_menu")
    gateway.answers["current_menu"] = menu
    assert commands.push_menu(uow_factory, gateway) == ["the live menu is the same"]
    with uow_factory.begin(read_only=True) as uow:
        acts = list(uow.session.scalars(select(AuditRecord.act)))
    assert acts.count("channel.push_menu") == 2


def test_the_first_menu_has_nothing_to_be_compared_with(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    gateway.answers.update(current_menu=None, push_menu=None)
    lines = commands.push_menu(uow_factory, gateway)
    assert [line for line in lines if line.startswith("-") and not line.startswith("---")] == []


def test_a_menu_with_an_entry_that_nothing_answers_is_not_pushed(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    commands.seed_replies(uow_factory)
    with uow_factory.begin() as uow:
        uow.session.execute(
            update(models.KeywordRule)
            .where(models.KeywordRule.slug == "rules")
            .values(state=RuleState.OFF)
        )
    with pytest.raises(MenuRefused) as refused:
        commands.push_menu(uow_factory, gateway)
    assert refused.value.facts["faults"] == ["竞赛规则: nothing answers the key RULES"]
    assert gateway.calls == []


def test_without_a_mini_program_in_the_settings_no_menu_is_pushed(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    wechat = replace(uow_factory.dependencies.settings.wechat, mini_program=WeChatApp())
    settings = replace(uow_factory.dependencies.settings, wechat=wechat)
    elsewhere = UnitOfWorkFactory(
        uow_factory.engine, replace(uow_factory.dependencies, settings=settings)
    )
    with pytest.raises(MenuRefused) as refused:
        commands.push_menu(elsewhere, gateway)
    assert "wechat.mini_program.appid" in str(refused.value.facts["faults"])
    assert gateway.calls == []


def a_code(number: int) -> MadeSceneCode:
    return MadeSceneCode(
        ticket=f"ticket {number}", url=f"http://q/{number}", picture_url=f"p{number}"
    )


def test_a_scene_has_one_permanent_code(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    gateway.answers["scene_code"] = a_code(1)
    first = commands.scene_code(uow_factory, gateway, "contest")
    gateway.answers["scene_code"] = a_code(2)
    assert commands.scene_code(uow_factory, gateway, "contest") == first
    assert first.ticket == "ticket 1"
    assert gateway.calls == [("scene_code", ("contest",), {"permanent": True})]


@pytest.mark.race
def test_twins_that_ask_for_a_code_get_the_same(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    made: list[int] = []

    def make(_scene: str, *, permanent: bool) -> MadeSceneCode:
        made.append(1)
        return a_code(len(made))

    gateway.answers["scene_code"] = make
    codes = at_once([lambda: commands.scene_code(uow_factory, gateway, "contest")] * 4)
    assert len(set(codes)) == 1


@pytest.mark.parametrize("scene", ["", "有汉字", "a b", "s" * 65, "a&b"])
def test_a_scene_that_cannot_be_printed_is_refused(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, scene: str
) -> None:
    with pytest.raises(SceneRefused):
        commands.scene_code(uow_factory, gateway, scene)
    assert gateway.calls == []


def test_a_code_that_wechat_refuses_is_not_kept(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    gateway.answers["scene_code"] = error_of(45009)
    with pytest.raises(type(error_of(45009))):
        commands.scene_code(uow_factory, gateway, "contest")
    assert rows(uow_factory, models.SceneCode) == []
