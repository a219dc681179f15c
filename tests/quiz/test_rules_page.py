"""The rules page says what the rules in force do, and is signed for exactly that."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select

from server.base.access import REGION
from server.base.ownership import owned_by
from server.base.uow import UnitOfWorkFactory
from server.programme.commands import load_campaign
from server.quiz.attempts import service as attempts
from server.quiz.bank.commands import import_questions
from server.quiz.contests import service as contests
from server.quiz.contests.commands import (
    open_contest,
    open_demo_contest,
    open_programme_contest,
)
from server.quiz.contests.loading import ContestPlan
from server.quiz.errors import NoAttemptsLeft, NoSuchProgramme, RulesRefused
from server.quiz.models import Attempt, Bank, Question, RuleSetRow
from tests.kit import quiz
from tests.kit.clock import FakeClock
from tests.kit.contests import contest_body
from tests.kit.quiz import QUESTIONS, citizens, take


def page(client: Any, name: str) -> dict[str, str]:
    told = client.get(f"/contests/{name}/rules").get_json()
    return {one["name"]: one["text"] for one in told["sentences"]}


def test_the_page_of_the_default_rules(client: Any, uow_factory: UnitOfWorkFactory) -> None:
    told = page(client, quiz.open_contest(uow_factory).ref)
    assert told["per_day"].startswith("每人每天可以答 1 份题")
    assert told["paper"] == "每份 10 道题：单选题 6 道、判断题 2 道、多选题 2 道。"
    assert "每题 10 分，满分 100 分" in told["points"]
    assert "限时 5 分钟" in told["timer"]
    assert told["season"] == "总成绩是每天最好一份题的得分之和。"
    assert "用时少的排在前面" in told["ties"]
    assert told["no_reward"] == "分享、转发、关注都不会带来分数、答题次数或名次。"
    assert "作废的，所有答到这道题的人都按答对计分" in told["voids"]
    assert "in_all" not in told


def test_the_page_of_the_nanjing_rules(client: Any, uow_factory: UnitOfWorkFactory) -> None:
    told = page(client, quiz.open_contest(uow_factory, "nanjing-2018").ref)
    assert told["paper"] == "每份 20 道题：判断题 7 道、单选题 7 道、多选题 6 道。"
    assert "每道题限时 30 秒，整份题不超过 10 分钟" in told["timer"]
    assert told["season"] == "总成绩取得分最高的一份题。"


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"papers_total": 30}, "in_all", "最多答 30 份题"),
        ({"season_score": "sum_of_scores"}, "season", "所有题得分之和"),
        ({"season_score": "mean_of_papers"}, "season", "平均分"),
        ({"season_score": "last_paper"}, "season", "最后一份题"),
        ({"paper_seconds": 240}, "timer", "4 分钟"),
        ({"paper_seconds": 250}, "timer", "4 分 10 秒"),
        ({"points_per_question": 5}, "points", "满分 50 分"),
        ({"mix": None}, "paper", "每份 10 道题：题型不限。"),
    ],
)
def test_every_rule_is_on_the_page(
    client: Any, uow_factory: UnitOfWorkFactory, changes: dict[str, Any], name: str, words: str
) -> None:
    assert words in page(client, quiz.open_contest(uow_factory, **changes).ref)[name]


def test_a_changed_rule_changes_page_and_behaviour_together(
    client: Any, uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    before = quiz.open_contest(uow_factory)
    (citizen,) = citizens(uow_factory, 1)
    first = take(uow_factory, before, citizen)
    with pytest.raises(NoAttemptsLeft):
        take(uow_factory, before, citizen)
    clock.advance(1)
    after = quiz.open_contest(uow_factory, papers_per_day=2, paper_seconds=200)
    assert after.ref == before.ref
    assert after.rules.version != before.rules.version
    told = client.get(f"/contests/{after.ref}/rules").get_json()
    assert told["rules_version"] == after.rules.version
    assert "每人每天可以答 2 份题" in page(client, after.ref)["per_day"]
    assert "3 分 20 秒" in page(client, after.ref)["timer"]
    second = take(uow_factory, after, citizen)
    assert (second.sheet.deadline_at - second.sheet.started_at).total_seconds() == 200
    with pytest.raises(NoAttemptsLeft):
        take(uow_factory, after, citizen)
    with uow_factory.begin(read_only=True) as uow:
        ran_under = dict(uow.session.execute(select(Attempt.ref, Attempt.rules_version)).all())
    assert ran_under == {
        first.sheet.ref: before.rules.version,
        second.sheet.ref: after.rules.version,
    }


def test_an_open_paper_goes_on_under_the_rules_it_was_begun_with(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    before = quiz.open_contest(uow_factory)
    (citizen,) = citizens(uow_factory, 1)
    with uow_factory.begin() as uow:
        view = quiz.started(uow, before, citizen)
    clock.advance(1)
    quiz.open_contest(uow_factory, paper_seconds=60, points_per_question=1)
    clock.advance(250)
    with uow_factory.begin() as uow:
        ended = attempts.submit_paper(
            uow, view.sheet.ref, citizen, quiz.all_right(quiz.shown(view))
        )
    assert ended.result is not None
    assert (ended.result.score, ended.result.max_score) == (100, 100)


def test_the_signature_stands_for_these_words_and_no_others(
    client: Any, uow_factory: UnitOfWorkFactory
) -> None:
    told = client.get(f"/contests/{quiz.open_contest(uow_factory).ref}/rules").get_json()
    key = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(told["public_key"]))
    signature = base64.urlsafe_b64decode(told["signature"])
    key.verify(signature, told["document"].encode())
    document = json.loads(told["document"])
    assert document["rules_version"] == told["rules_version"]
    assert document["sentences"] == {one["name"]: one["text"] for one in told["sentences"]}
    with pytest.raises(InvalidSignature):
        key.verify(signature, told["document"].replace("5 分钟", "6 分钟").encode())


def plan(uow_factory: UnitOfWorkFactory, **changes: Any) -> ContestPlan:
    now = uow_factory.dependencies.clock.now()
    made = {
        "slug": "plan",
        "title": "计划",
        "programme_slug": None,
        "bank": "demo",
        "opens_at": now,
        "closes_at": now.replace(year=now.year + 1),
        "body": contest_body("default"),
    }
    return ContestPlan(**{**made, **changes})


def test_a_contest_that_its_bank_cannot_fill_is_not_opened(uow_factory: UnitOfWorkFactory) -> None:
    with pytest.raises(RulesRefused) as refusal:
        open_contest(uow_factory, plan(uow_factory, bank="empty"))
    assert "6 wanted, 0 there" in str(refusal.value.facts["reasons"])
    assert import_questions(uow_factory, QUESTIONS).ok
    many = {**plan(uow_factory).body, "mix": {"multiple": 10}}
    with pytest.raises(RulesRefused):
        open_contest(uow_factory, plan(uow_factory, body=many))
    with pytest.raises(RulesRefused):
        open_contest(uow_factory, plan(uow_factory, closes_at=uow_factory.dependencies.clock.now()))
    open_contest(uow_factory, plan(uow_factory))


def test_opening_twice_changes_nothing_and_an_old_rule_may_come_back(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    assert import_questions(uow_factory, QUESTIONS).ok
    first = plan(uow_factory)
    other = plan(uow_factory, body={**first.body, "papers_per_day": 3})
    refs = []
    in_force = []
    for wanted in (first, first, other, first):
        refs.append(open_contest(uow_factory, wanted))
        clock.advance(1)
        with uow_factory.begin(read_only=True) as uow:
            in_force.append(contests.find_contest(uow, "plan").rules.papers_per_day)
    assert len(set(refs)) == 1
    assert in_force == [1, 1, 3, 1]
    with uow_factory.begin(read_only=True) as uow:
        assert len(uow.session.scalars(select(RuleSetRow.version)).all()) == 2


def test_a_contest_keeps_the_bank_its_papers_were_dealt_from(
    uow_factory: UnitOfWorkFactory,
) -> None:
    contest = quiz.open_contest(uow_factory)
    assert import_questions(uow_factory, QUESTIONS).ok
    with uow_factory.begin() as uow:
        uow.session.add(Bank(slug="other", revision=uow.new_ref("rev"), **owned_by(REGION)))
        rows = uow.session.scalars(select(Question)).all()
        facts = ("kind", "topic", "benchmark_no", "benchmark", "difficulty", "stem", "options",
                 "answer", "explanation", "source", "state", "made_at",
                 "owner")  # fmt: skip
        for row in rows:
            copied = {name: getattr(row, name) for name in facts}
            uow.session.add(Question(ref=f"O{row.ref}", version=1, bank="other", **copied))
    open_contest(uow_factory, plan(uow_factory, slug="daily", bank="other"))
    open_contest(uow_factory, plan(uow_factory, slug="daily"))
    take(uow_factory, contest, citizens(uow_factory, 1)[0])
    with pytest.raises(RulesRefused) as refusal:
        open_contest(uow_factory, plan(uow_factory, slug="daily", bank="other"))
    assert "dealt from demo" in str(refusal.value.facts["reasons"])


def test_the_demo_contest_is_open_from_the_first_day_and_keeps_its_window(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    assert import_questions(uow_factory, QUESTIONS).ok
    ref = open_demo_contest(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        first = contests.find_contest(uow, ref)
        assert first.state_at(uow.now) == "open"
    assert (first.rules.question_count, first.rules.papers_per_day) == (10, 1)
    clock.advance(5 * 86_400)
    assert open_demo_contest(uow_factory) == ref
    with uow_factory.begin(read_only=True) as uow:
        assert contests.find_contest(uow, ref) == first


def test_a_contest_of_a_programme_that_is_not_there_is_refused(
    uow_factory: UnitOfWorkFactory,
) -> None:
    assert import_questions(uow_factory, QUESTIONS).ok
    with pytest.raises(NoSuchProgramme):
        open_programme_contest(uow_factory, slug="x", programme="nothing")


def test_a_second_contest_of_a_programme_may_have_a_title_of_its_own(
    uow_factory: UnitOfWorkFactory,
) -> None:
    assert load_campaign(uow_factory, QUESTIONS.with_name("campaign.json"), shift=True).ok
    assert import_questions(uow_factory, QUESTIONS).ok
    named = open_programme_contest(uow_factory, slug="x", preset="nanjing-2018", title="每题限时赛")
    plain = open_programme_contest(uow_factory, slug="y")
    with uow_factory.begin(read_only=True) as uow:
        assert contests.find_contest(uow, named).title == "每题限时赛"
        assert contests.find_contest(uow, plain).title == "2026年广西公民科学素质网络竞赛"
