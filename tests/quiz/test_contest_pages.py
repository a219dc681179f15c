"""The contest pages: drafting, publishing by another, harmless changes, pause and early end."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.audit.models import AuditRecord
from server.base.uow import UnitOfWorkFactory
from server.quiz.bank import service as banks
from server.quiz.contests import drafts
from server.quiz.contests.console import PAGES
from server.quiz.models import Contest
from tests.kit.accounts import a_citizen, a_session
from tests.kit.clock import FakeClock
from tests.kit.console import PEOPLE, Browser, console_app
from tests.kit.console_contests import FORM
from tests.kit.quiz import citizens, open_contest, take


@pytest.fixture
def console(uow_factory: UnitOfWorkFactory) -> Flask:
    open_contest(uow_factory, slug="region")
    app, _written = console_app(uow_factory, PAGES)
    return app


def draft(console: Flask, who: str = "editor-city", **changes: str) -> str:
    status, page = Browser(console, who).ask("POST", "/contests/new", {**FORM, **changes})
    assert status == 303, re.sub(r"<[^>]+>|\s+", " ", page)
    return newest(console)


def newest(console: Flask) -> str:
    _, page = Browser(console, "editor-region").get("/contests")
    refs = re.findall(r'href="/console/contests/(con_\w+)"', page)
    return max(refs, key=refs.index) if len(refs) == 1 else refs[0]


def count_contests(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.query(Contest).count()


def change(console: Flask, ref: str, **changes: str) -> tuple[int, str]:
    form = {**FORM, "base": f"copy:{ref}", "reason": "按通知修改", **changes}
    return Browser(console, "editor-region").ask("POST", f"/contests/{ref}/edit", form)


def test_an_editor_drafts_and_another_person_publishes(
    console: Flask, client: Any, uow_factory: UnitOfWorkFactory
) -> None:
    ref = draft(console)
    assert client.get(f"/contests/{ref}").status_code == 404
    _, page = Browser(console, "editor-city").get(f"/contests/{ref}")
    assert "草稿" in page
    assert "南宁市科普答题" in page
    assert Browser(console, "editor-city").ask("POST", f"/contests/{ref}/publish", {})[0] == 403

    assert Browser(console, "approver-city").ask("POST", f"/contests/{ref}/publish", {})[0] == 303

    shown = client.get(f"/contests/{ref}").get_json()
    assert (shown["title"], shown["rules"]["question_count"]) == ("南宁市科普答题", 10)
    with uow_factory.begin(read_only=True) as uow:
        of_contest = select(AuditRecord.act).where(AuditRecord.subject_ref == ref)
        acts = uow.session.scalars(of_contest.order_by(AuditRecord.number)).all()
        contest = uow.session.scalars(select(Contest).where(Contest.ref == ref)).one()
    assert acts == ["quiz.draft_contest", "quiz.publish_contest"]
    assert contest.owner == "city:450100"


def test_nobody_publishes_an_own_draft(console: Flask, uow_factory: UnitOfWorkFactory) -> None:
    ref = draft(console)
    with uow_factory.begin() as uow:
        contest = uow.session.scalars(select(Contest).where(Contest.ref == ref)).one()
        contest.drafted_by = PEOPLE["approver-city"].id
    status, page = Browser(console, "approver-city").ask("POST", f"/contests/{ref}/publish", {})
    assert (status, "起草人不能发布、退回" in page) == (409, True)


def test_a_contest_that_the_bank_cannot_fill_is_drafted_but_not_published(
    console: Flask,
) -> None:
    ref = draft(console, single="90")
    _, page = Browser(console, "approver-city").get(f"/contests/{ref}")
    assert "题不够，不能发布" in page
    status, page = Browser(console, "approver-city").ask("POST", f"/contests/{ref}/publish", {})
    assert (status, "题库里的题不够" in page) == (409, True)
    _, page = Browser(console, "editor-city").get(f"/contests/{ref}")
    assert ("还不能发布" in page, "正在等待审核员发布" in page) == (True, False)


def test_a_change_asks_for_a_reason_once_the_contest_is_published(console: Flask) -> None:
    ref = draft(console)
    assert "理由" not in Browser(console, "editor-city").get(f"/contests/{ref}/edit")[1]
    assert change(console, ref, reason="", title="改过的名称")[0] == 303
    editor = Browser(console, "editor-city")
    _, page = editor.get(f"/contests/{ref}")
    assert ("改过的名称" in page, "正在等待审核员发布" in page) == (True, True)
    assert Browser(console, "approver-city").ask("POST", f"/contests/{ref}/publish", {})[0] == 303
    assert "理由" in editor.get(f"/contests/{ref}/edit")[1]
    status, page = change(console, ref, reason=" ", title="又改的名称")
    assert (status, "又改的名称" in page) == (422, True)
    assert "又改的名称" not in editor.get(f"/contests/{ref}")[1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": ""}, "请填写名称"),
        ({"closes_at": "2026-05-01T00:00"}, "结束时间要晚于开始时间"),
        ({"bank": "nobody"}, "请选择一个题库"),
        ({"single": "0", "multiple": "0", "judge": "0"}, "请填写每份题的题数"),
        ({"timer": "item"}, "请填写每道题的秒数"),
        ({"divisions": "小学组"}, "组名要有 2 到 12 个"),
        ({"papers_per_day": "51"}, "请填写 1 到 50 的整数"),
        ({"season": "by_luck"}, "请从列表中选择一项"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_nothing_is_lost(
    console: Flask, changes: dict[str, str], said: str
) -> None:
    status, page = Browser(console, "editor-city").ask(
        "POST", "/contests/new", {**FORM, "warm_up_questions": "17", **changes}
    )
    assert (status, said in page) == (422, True)
    assert 'value="17"' in page


def test_after_the_first_paper_only_harmless_changes_pass(
    console: Flask, client: Any, uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory, slug="region")
    take(uow_factory, contest, citizens(uow_factory, 1)[0], 8)
    window = {
        "opens_at": (contest.opens_at + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M"),
        "closes_at": (contest.closes_at + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M"),
        "title": contest.title,
    }
    for harmful, said in [
        ({"points_per_question": "20"}, "每题分值不能再改"),
        ({"season": "best_single_paper"}, "总成绩的算法不能再改"),
        ({"closes_at": "2026-05-03T00:00"}, "结束时间只能推迟"),
        ({"divisions": "甲组\n乙组"}, "不能改为分组"),
    ]:
        status, page = change(console, contest.ref, **{**window, **harmful})
        assert (status, said in page) == (422, True), said
    before = client.get(f"/contests/{contest.ref}").get_json()["rules"]
    assert change(console, contest.ref, **{**window, "papers_per_day": "3"})[0] == 303
    after = client.get(f"/contests/{contest.ref}").get_json()["rules"]
    assert (before["papers_per_day"], after["papers_per_day"]) == (1, 3)
    assert {**after, "papers_per_day": 1, "rules_version": ""} == {**before, "rules_version": ""}
    assert "3 份" in client.get(f"/contests/{contest.ref}/rules").get_data(as_text=True)


def test_a_paused_contest_starts_no_paper_and_is_resumed(
    console: Flask, client: Any, uow_factory: UnitOfWorkFactory
) -> None:
    contest = open_contest(uow_factory, slug="region")
    approver = Browser(console, "approver-region")
    assert approver.ask("POST", f"/contests/{contest.ref}/pause", {"reason": ""})[0] == 422
    assert approver.ask("POST", f"/contests/{contest.ref}/pause", {"reason": "题目有误"})[0] == 303
    assert client.get(f"/contests/{contest.ref}").get_json()["paused"] is True
    with uow_factory.begin() as uow:
        phone = a_session(uow, a_citizen(uow, consented=True))
    refused = client.post(f"/contests/{contest.ref}/attempts", citizen=phone)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "contest_paused")
    assert approver.ask("POST", f"/contests/{contest.ref}/pause", {"reason": "再停"})[0] == 409
    assert approver.ask("POST", f"/contests/{contest.ref}/resume", {})[0] == 303
    assert client.post(f"/contests/{contest.ref}/attempts", citizen=phone).status_code == 201


def test_an_early_end_is_final(console: Flask, client: Any, uow_factory: UnitOfWorkFactory) -> None:
    contest = open_contest(uow_factory, slug="region")
    approver = Browser(console, "approver-region")
    assert approver.ask("POST", f"/contests/{contest.ref}/close", {"reason": "活动结束"})[0] == 303
    assert client.get(f"/contests/{contest.ref}").get_json()["state"] == "closed"
    assert approver.ask("POST", f"/contests/{contest.ref}/close", {"reason": "再结束"})[0] == 409


def test_lower_places_read_published_contests_and_change_none(
    console: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    region = open_contest(uow_factory, slug="region").ref
    city = draft(console)
    for who, seen, hidden in [
        ("editor-other", [region], [city]),
        ("editor-county", [region], [city]),
        ("editor-city", [region, city], []),
    ]:
        _, page = Browser(console, who).get("/contests")
        assert [ref for ref in (region, city) if ref in page] == seen
        for ref in hidden:
            assert Browser(console, who).get(f"/contests/{ref}")[0] == 404
        assert Browser(console, who).get(f"/contests/{region}/edit")[0] == 404
        approver = who.replace("editor", "approver")
        form = {"reason": "试试"}
        assert Browser(console, approver).ask("POST", f"/contests/{region}/close", form)[0] == 404


def test_last_years_contest_is_copied(console: Flask, uow_factory: UnitOfWorkFactory) -> None:
    source = open_contest(uow_factory, "jiangsu-2017", slug="region-2025")
    _, page = Browser(console, "editor-city").get(f"/contests/new?base=copy:{source.ref}")
    assert "小学组\n中学组\n成人组" in page.replace("\r\n", "\n")
    assert Browser(console, "editor-city").get("/contests/new?base=copy:con_nobody")[0] == 404
    assert Browser(console, "editor-city").get("/contests/new?base=preset:nobody")[0] == 404


def test_the_rules_are_previewed_before_they_are_saved(console: Flask) -> None:
    query = {**{name: value for name, value in FORM.items() if value}, "papers_per_day": "4"}
    address = "/contests/rules-preview?" + "&".join(f"{k}={v}" for k, v in query.items())
    _, page = Browser(console, "editor-city").get(
        address.replace("papers_per_day=1", "papers_per_day=4")
    )
    assert "每人每天可以答 4 份题" in page
    _, page = Browser(console, "editor-city").get("/contests/rules-preview?title=x")
    assert "填写完整以后" in page


def test_a_bank_is_read_for_a_page_when_no_process_has_it_yet(
    console: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = draft(console)
    with uow_factory.begin() as uow:
        banks.renew_revision(uow, "demo")
    status, page = Browser(console, "editor-city").get(f"/contests/{ref}")
    assert (status, "竞赛期间不会重复" in page or "起遇到重复的题" in page) == (200, True)


def test_a_draft_waits_on_the_first_page_of_the_approver(
    console: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    draft(console)
    with uow_factory.begin(read_only=True) as uow:
        told = {
            who: [(one.count, one.path) for one in drafts.tell_waiting(uow, PEOPLE[who])]
            for who in ("approver-city", "approver-region", "approver-other", "editor-city")
        }
    waits = [(1, "/contests?state=draft")]
    assert told == {
        "approver-city": waits,
        "approver-region": waits,
        "approver-other": [(0, "/contests?state=draft")],
        "editor-city": [(0, "/contests?state=returned")],
    }


@pytest.mark.parametrize(
    ("again", "drafts_made"),
    [({}, 1), ({"title": "改了名称"}, 1), ({"form_key": "frm_b"}, 1),
     ({"form_key": "frm_b", "title": "另一场"}, 2)],
)  # fmt: skip
def test_a_form_sent_twice_opens_the_draft_that_it_made(
    console: Flask, uow_factory: UnitOfWorkFactory, again: dict[str, str], drafts_made: int
) -> None:
    before, given = count_contests(uow_factory), {**FORM, "form_key": "frm_a"}
    browser = Browser(console, "editor-city")
    first = browser.open("POST", "/contests/new", given)
    second = browser.open("POST", "/contests/new", {**given, **again})
    assert count_contests(uow_factory) == before + drafts_made
    same = first.headers["Location"] == second.headers["Location"]
    assert same is (drafts_made == 1)
    shown = browser.get(second.headers["Location"].removeprefix("/console"))[1]
    assert ("没有再建第二份" in shown) is same


def test_the_form_of_a_draft_is_known_again(console: Flask) -> None:
    shown = Browser(console, "editor-city").get("/contests/new")[1]
    assert re.search(r'name="form_key" type="hidden" value="frm_\w+"', shown)


def test_a_form_of_somebody_else_makes_a_draft_of_its_own(
    console: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    before = count_contests(uow_factory)
    draft(console, "editor-city")
    draft(console, "editor-region")
    assert count_contests(uow_factory) == before + 2


def test_a_draft_is_deleted_with_its_rules_and_a_published_contest_is_not(
    console: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = draft(console)
    assert Browser(console, "approver-city").ask("POST", f"/contests/{ref}/delete", {})[0] == 403
    assert Browser(console, "editor-other").ask("POST", f"/contests/{ref}/delete", {})[0] == 404
    assert Browser(console, "editor-city").ask("POST", f"/contests/{ref}/delete", {})[0] == 303
    assert Browser(console, "editor-city").get(f"/contests/{ref}")[0] == 404
    with uow_factory.begin(read_only=True) as uow:
        wanted = select(AuditRecord).where(AuditRecord.act == "quiz.delete_contest_draft")
        entry = uow.session.scalars(wanted).one()
    assert (entry.subject_ref, "南宁市科普答题" in entry.before) == (ref, True)

    ref = draft(console)
    assert Browser(console, "approver-city").ask("POST", f"/contests/{ref}/publish", {})[0] == 303
    for act in ("delete", "return"):
        who = "editor-city" if act == "delete" else "approver-region"
        status, shown = Browser(console, who).ask(
            "POST", f"/contests/{ref}/{act}", {"reason": "时间不对"}
        )
        assert (status, "已经发布，不再是草稿" in shown) == (409, True)
        assert ("别人已经办理" in shown, "韦approvercity" in shown) == (True, True)


def test_a_returned_draft_waits_for_its_author_until_it_is_changed(
    console: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    def waiting(who: str) -> list[tuple[str, int]]:
        with uow_factory.begin(read_only=True) as uow:
            told = drafts.tell_waiting(uow, PEOPLE[who])
        return [(one.path, one.count) for one in told]

    ref = draft(console)
    returning = f"/contests/{ref}/return"
    assert Browser(console, "approver-city").ask("POST", returning, {"reason": ""})[0] == 422
    asked = Browser(console, "approver-city").ask("POST", returning, {"reason": "结束太早"})
    assert asked[0] == 303
    assert waiting("approver-city") == [("/contests?state=draft", 0)]
    assert waiting("editor-city") == [("/contests?state=returned", 1)]
    assert waiting("editor-region") == [("/contests?state=returned", 0)]
    shown = Browser(console, "editor-city").get("/contests?state=returned")[1]
    assert ref in shown
    assert "结束太早" in Browser(console, "editor-city").get(f"/contests/{ref}")[1]
    assert change(console, ref)[0] == 303
    assert waiting("approver-city") == [("/contests?state=draft", 1)]
    assert waiting("editor-city") == [("/contests?state=returned", 0)]


def test_nobody_returns_an_own_draft(console: Flask, uow_factory: UnitOfWorkFactory) -> None:
    ref = draft(console)
    with uow_factory.begin() as uow:
        contest = uow.session.scalars(select(Contest).where(Contest.ref == ref)).one()
        contest.drafted_by = PEOPLE["approver-city"].id
    status, shown = Browser(console, "approver-city").ask(
        "POST", f"/contests/{ref}/return", {"reason": "时间不对"}
    )
    assert (status, "起草人不能发布、退回" in shown, "时间不对" in shown) == (409, True, True)
