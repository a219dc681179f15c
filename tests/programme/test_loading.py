"""The campaign file is read as a whole: the notice's passes, a wrong one is told all its faults."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from server.base.settings import ROOT
from server.programme.kinds import Kind, Precision
from server.programme.loading import read_campaign

NOTICE = ROOT / "config" / "campaign" / "2020" / "campaign.json"
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def document() -> dict[str, Any]:
    return json.loads(NOTICE.read_text(encoding="utf-8"))


def written(folder: Path, document: object) -> Path:
    path = folder / "campaign.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def paths_of(folder: Path, document: object) -> list[str]:
    plan, problems = read_campaign(written(folder, document))
    assert (plan is None) == bool(problems)
    assert all(problem.reason for problem in problems)
    return [problem.path for problem in problems]


def test_the_notices_file_holds_eight_theme_activities_and_seven_joint_actions() -> None:
    plan, problems = read_campaign(NOTICE)
    assert problems == []
    assert plan is not None
    kinds = [item.kind for item in plan.programmes]
    assert kinds == [Kind.THEME] * 8 + [Kind.JOINT] * 7
    assert len(plan.units) == 16
    assert plan.title_za is None


def test_a_theme_activity_keeps_its_wording_beside_our_reading() -> None:
    plan, _ = read_campaign(NOTICE)
    assert plan is not None
    by_slug = {item.slug: item for item in plan.programmes}
    lectures = by_slug["bagui-forum-lectures"]
    assert lectures.dates is not None
    assert lectures.dates.text == "2020年6－12月"
    assert (lectures.dates.start, lectures.dates.end) == (date(2020, 6, 1), date(2020, 12, 31))
    assert lectures.dates.end > plan.dates.end
    assert by_slug["launch-ceremony"].dates is not None
    assert by_slug["launch-ceremony"].dates.precision is Precision.DAY
    assert by_slug["campus-programme"].open_list
    assert by_slug["community-lectures"].owner == "cnki"
    assert by_slug["youth-science-festival"].place is None


def test_a_joint_action_belongs_to_the_campaigns_first_host_and_has_no_dates() -> None:
    plan, _ = read_campaign(NOTICE)
    assert plan is not None
    for item in plan.programmes:
        assert item.owner_assumed == (item.kind is Kind.JOINT)
        if item.kind is Kind.JOINT:
            assert (item.owner, item.dates) == ("gxast", None)
            assert item.content["who"]
            assert item.content["what"]


def test_no_name_or_mobile_number_of_a_person_is_in_the_file() -> None:
    contact = json.loads(NOTICE.read_text(encoding="utf-8"))["campaign"]["contact"]
    assert contact["phone"] == "0771-2630563"
    assert set(contact) == {"kind", "phone", "also_fax", "owner"}


def put(*path: str | int, value: object) -> Change:
    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def drop(*path: str | int) -> Change:
    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return change


T, J = "theme_activities", "joint_actions"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (drop(T, 1, "hosts"), "theme_activities[1].hosts"),
        (put(T, 1, "hosts", value=[]), "theme_activities[1].hosts"),
        (put("campaign", "hosts", value=[]), "campaign.hosts"),
        (put(T, 1, "hosts", value=["nobody"]), "theme_activities[1].hosts[0]"),
        (put(T, 1, "undertakers", 0, value="nobody"), "theme_activities[1].undertakers[0]"),
        (put(T, 1, "hosts", value=["gxast", "gxast"]), "theme_activities[1].hosts[1]"),
        (put(J, 0, "hosts", value=["nobody"]), "joint_actions[0].hosts[0]"),
        (put(T, 1, "slug", value="launch-ceremony"), "theme_activities[1].slug"),
        (put(J, 2, "slug", value="quiz-contest"), "joint_actions[2].slug"),
        (put(T, 1, "slug", value="Quiz Contest"), "theme_activities[1].slug"),
        (put(T, 1, "precision", value="week"), "theme_activities[1].precision"),
        (put(T, 1, "precision", value="day"), "theme_activities[1].precision"),
        (put(T, 0, "precision", value="month"), "theme_activities[0].precision"),
        (put(T, 1, "start", value="2020-03-31"), "theme_activities[1].start"),
        (put(T, 6, "start", value="2020-05-31"), "theme_activities[6].start"),
        (put(T, 6, "end", value="2021-01-01"), "theme_activities[6].end"),
        (put(T, 4, "end", value="2021-01-01"), "theme_activities[4].end"),
        (put("campaign", "end", value="2020-10-01"), "campaign.end"),
        (put("summary_and_awards", "due", value="2020-10-20"), "summary_and_awards.due"),
        (put(T, 1, "start", value="2020-02-30"), "theme_activities[1].start"),
        (put(T, 1, "start", value="20200401"), "theme_activities[1].start"),
        (put(T, 1, "start", value=20200401), "theme_activities[1].start"),
        (put(T, 1, "start", value=None), "theme_activities[1].start"),
        (drop(T, 1, "date_text"), "theme_activities[1].date_text"),
        (put(T, 1, "date_text", value="另行通知"), "theme_activities[1].date_text"),
        (put(J, 0, "start", value="2020-05-01"), "joint_actions[0].end"),
        (put(T, 1, "place_code", value="440100"), "theme_activities[1].place_code"),
        (put("organisations", 0, "region", value="999999"), "organisations[0].region"),
        (put("organisations", 0, "level", value="省"), "organisations[0].level"),
        (put("organisations", 1, "id", value="gxast"), "organisations[1].id"),
        (put(T, 1, "title", value=""), "theme_activities[1].title"),
        (put(T, 1, "title", value="x" * 101), "theme_activities[1].title"),
        (put(T, 1, "title", value="a\0b"), "theme_activities[1].title"),
        (put(T, 1, "title", value=7), "theme_activities[1].title"),
        (put(T, 1, "no", value=True), "theme_activities[1].no"),
        (put(T, 4, "undertakers_open_list", value="x"),
         "theme_activities[4].undertakers_open_list"),
        (put(T, 1, "undertakers", value="gxast"), "theme_activities[1].undertakers"),
        (put(J, 0, "who", value=[1]), "joint_actions[0].who[0]"),
        (put(T, 1, "hots", value=["gxast"]), "theme_activities[1].hots"),
        (put(T, 1, value="quiz"), "theme_activities[1]"),
        (put(T, value={}), "theme_activities"),
        (drop(J), "joint_actions"),
        (drop("campaign"), "campaign"),
        (put("campaign", value=[]), "campaign"),
        (put("campaign", "target", "value_percent", value="7.16"), "campaign.target.value_percent"),
        (put("campaign", "target", "value_percent", value=716), "campaign.target.value_percent"),
        (put("campaign", "region_code", value="440000"), "campaign.region_code"),
        (put("campaign", "year", value=1020), "campaign.year"),
        (put("campaign", "contact", "mobile", value="13800000000"), "campaign.contact.mobile"),
        (put("schema", value="campaign-fixture/2"), "schema"),
        (put("programme", value=[]), "programme"),
    ],
)  # fmt: skip
def test_a_fault_is_reported_where_it_stands(
    document: dict[str, Any], tmp_path: Path, change: Change, path: str
) -> None:
    change(document)
    assert path in paths_of(tmp_path, document)


def test_a_date_after_the_end_is_told_beside_the_wording(
    document: dict[str, Any], tmp_path: Path
) -> None:
    put(T, 1, "start", value="2020-09-30")(document)
    put(T, 1, "end", value="2020-04-01")(document)
    assert paths_of(tmp_path, document) == ["theme_activities[1].end"]


def test_all_faults_are_told_at_once(document: dict[str, Any], tmp_path: Path) -> None:
    put(T, 1, "hosts", value=[])(document)
    put(T, 6, "start", value="2020-05-31")(document)
    put(T, 7, "precision", value="week")(document)
    put(J, 6, "slug", value="grassroots")(document)
    assert paths_of(tmp_path, document) == [
        "theme_activities[1].hosts",
        "theme_activities[6].start",
        "theme_activities[7].precision",
        "joint_actions[6].slug",
    ]


def test_a_joint_action_may_name_hosts_and_dates_of_its_own(
    document: dict[str, Any], tmp_path: Path
) -> None:
    document[J][0] |= {
        "hosts": ["gxedu"],
        "date_text": "2020年5月",
        "start": "2020-05-01",
        "end": "2020-05-31",
        "precision": "month",
    }
    plan, problems = read_campaign(written(tmp_path, document))
    assert problems == []
    assert plan is not None
    first = next(item for item in plan.programmes if item.kind is Kind.JOINT)
    assert (first.owner, first.owner_assumed) == ("gxedu", False)
    assert first.dates is not None


def test_notes_for_the_makers_may_stay_in_the_file(
    document: dict[str, Any], tmp_path: Path
) -> None:
    before, _ = read_campaign(NOTICE)
    document = copy.deepcopy(document)
    document[T][0]["product_feature"] = "a page of its own"
    del document["campaign"]["title_za"]
    after, problems = read_campaign(written(tmp_path, document))
    assert problems == []
    assert after == before


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"schema": NaN}']
)
def test_a_file_that_is_no_campaign_is_refused_with_a_reason(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "campaign.json"
    path.write_bytes(raw)
    plan, problems = read_campaign(path)
    assert plan is None
    assert problems
    assert all(str(problem) for problem in problems)


def test_a_file_that_is_not_there_is_refused_with_a_reason(tmp_path: Path) -> None:
    plan, problems = read_campaign(tmp_path / "nowhere.json")
    assert plan is None
    assert len(problems) == 1
    assert "cannot be opened" in problems[0].reason
