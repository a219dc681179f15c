"""The campaign and its programmes over HTTP, without a token."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest

from server.base.templates import message_templates
from server.base.topics import announcement_topics
from server.base.uow import UnitOfWorkFactory
from server.programme.commands import load_campaign
from tests.kit.clock import FakeClock
from tests.kit.notices import SENDS
from tests.programme.test_loading import NOTICE


@pytest.fixture
def notice(uow_factory: UnitOfWorkFactory) -> UnitOfWorkFactory:
    assert load_campaign(uow_factory, NOTICE, shift=False).ok
    return uow_factory


def test_the_campaign_tells_its_title_dates_target_and_organisers(
    client: Any, notice: UnitOfWorkFactory
) -> None:
    told = client.get("/campaign").get_json()
    assert told["title"] == {"zh": "2020年八桂科普大行动", "za": None}
    assert (told["start"], told["end"]) == ("2020-04-21", "2020-09-30")
    assert (told["precision"], told["date_text"]) == ("xun", "2020年4月下旬—9月底")
    assert told["target"]["percent"] == 7.16
    assert "不能" in told["target"]["note"]
    assert [unit["id"] for unit in told["organisers"]][:2] == ["gxast", "gxxcb"]
    assert len(told["organisers"]) == 6
    assert told["summary"]["precision"] == "end_of_month"
    assert told["summary"]["on"] == "2020-10-31"
    assert told["policy_version"] == notice.dependencies.settings.policy_version


def test_the_campaign_says_who_operates_the_service(client: Any, notice: UnitOfWorkFactory) -> None:
    told = client.get("/campaign").get_json()
    given = notice.dependencies.settings
    assert told["operator"] == asdict(given.operator)
    assert all(told["operator"].values())
    assert told["policy_date"] == given.policy_date


def test_the_campaign_names_the_templates_that_have_a_sender(
    client: Any, notice: UnitOfWorkFactory
) -> None:
    told = client.get("/campaign").get_json()["subscribe_templates"]
    assert {t["slug"] for t in told} == set(notice.dependencies.hooks.sends) == SENDS
    assert {t["id"] for t in told} < {t.id for t in message_templates()}


def test_the_campaign_lists_the_topics_of_announcements(
    client: Any, notice: UnitOfWorkFactory
) -> None:
    told = client.get("/campaign").get_json()["topics"]
    assert told == [{"slug": one.slug, "name": one.name} for one in announcement_topics()]


def test_without_a_campaign_the_answer_is_404(client: Any) -> None:
    assert client.get("/campaign").status_code == 404
    assert client.get("/programmes").get_json() == {"items": [], "next": None}


def test_a_theme_activity_shows_its_wording_and_organisers(
    client: Any, notice: UnitOfWorkFactory
) -> None:
    told = client.get("/programmes/campus-programme").get_json()
    assert (told["kind"], told["form"], told["date_text"]) == ("theme", "campus", "2020年4－12月")
    assert (told["start"], told["end"]) == ("2020-04-01", "2020-12-31")
    assert (told["precision"], told["place"]) == ("month", None)
    assert told["open_list"] is True
    assert told["owner_assumed"] is False
    assert [unit["role"] for unit in told["organisers"]] == ["host"] * 2 + ["undertaker"] * 4


def test_a_joint_action_shows_its_content_and_its_assumed_owner(
    client: Any, notice: UnitOfWorkFactory
) -> None:
    told = client.get("/programmes/grassroots").get_json()
    assert told["kind"] == "joint"
    assert {told[name] for name in ("start", "end", "precision", "date_text", "place")} == {None}
    assert told["organisers"] == [{"id": "gxast", "name": "自治区科协", "role": "host"}]
    assert told["owner_assumed"] is True
    assert "科技专家" in told["who"]
    assert told["focus"] == ["脱贫攻坚", "乡村振兴", "对口支援点"]


def test_the_server_tells_today_and_how_each_programme_lies_to_it(
    client: Any, notice: UnitOfWorkFactory, clock: FakeClock
) -> None:
    states = {}
    for day in ("2020-04-20", "2020-05-10", "2020-10-01"):
        clock.set(datetime.fromisoformat(f"{day}T23:59:59+08:00"))
        assert client.get("/campaign").get_json()["today"] == day
        items = client.get("/programmes").get_json()["items"]
        assert {item["today"] for item in items} == {day}
        states[day] = {item["slug"]: item["state"] for item in items}
    assert [by_day["launch-ceremony"] for by_day in states.values()] == ["upcoming", "past", "past"]
    assert [by_day["quiz-contest"] for by_day in states.values()] == ["now", "now", "past"]
    assert {by_day["caravan"] for by_day in states.values()} == {None}


def test_the_demo_shows_this_years_words_and_keeps_the_notices(
    client: Any, uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    clock.set(datetime(2026, 11, 29, 4, tzinfo=UTC))
    assert load_campaign(uow_factory, NOTICE, shift=True).ok
    campaign = client.get("/campaign").get_json()
    assert campaign["title"]["zh"] == "2026年八桂科普大行动"
    assert campaign["date_text"] == "2026年9月下旬—2027年2月底"
    assert (campaign["start"], campaign["end"]) == ("2026-09-21", "2027-02-28")
    assert campaign["summary"]["date_text"] == "2027年3月底"
    festival = client.get("/programmes/youth-science-festival").get_json()
    assert festival["state"] == "upcoming"
    assert festival["date_text"] == "2027年2月"
    assert (festival["start"], festival["end"]) == ("2027-02-01", "2027-02-28")
    assert (festival["notice_year"], festival["notice_text"]) == (
        2020,
        "2020年9月 第八届广西青少年科学节启动仪式",
    )


def test_all_fifteen_are_public_and_filters_compose(client: Any, notice: UnitOfWorkFactory) -> None:
    assert len(client.get("/programmes").get_json()["items"]) == 15
    narrowed = client.get("/programmes?kind=theme&city=450200&from=2020-10-01&to=2020-12-31")
    assert [item["slug"] for item in narrowed.get_json()["items"]] == ["campus-programme"]
    first = client.get("/programmes?limit=14").get_json()
    rest = client.get(f"/programmes?limit=14&after={first['next']}").get_json()
    assert [item["slug"] for item in rest["items"]] == ["caravan"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        "kind=quiz", "city=450000", "city=abc", "from=2020-13-01", "to=soon", "limit=0",
        "after=nonsense", "from=2020-05-02&to=2020-05-01",
    ],
)  # fmt: skip
def test_a_bad_question_is_422(client: Any, notice: UnitOfWorkFactory, query: str) -> None:
    answer = client.get(f"/programmes?{query}")
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "invalid"


@pytest.mark.parametrize("slug", ["nothing", "QUIZ-CONTEST", "a%00b", "%E7%AD%94%E9%A2%98"])
def test_an_unknown_programme_is_404(client: Any, notice: UnitOfWorkFactory, slug: str) -> None:
    answer = client.get(f"/programmes/{slug}")
    assert answer.status_code == 404
    assert answer.get_json()["code"] == "not_found"
