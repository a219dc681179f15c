"""What a first paper needs in some contests: a chosen group, and a warm-up in practice."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from server.base.uow import UnitOfWorkFactory
from server.quiz.contests.service import ContestView
from server.quiz.errors import RulesRefused
from server.quiz.models import Contest, Entry, Question
from tests.kit.accounts import a_citizen, a_session
from tests.kit.clock import FakeClock
from tests.kit.quiz import open_contest, seen, some_right

DIVISIONS = [{"key": "primary", "title": "小学组"}, {"key": "adult", "title": "成人组"}]


@pytest.fixture
def phone(uow_factory: UnitOfWorkFactory) -> str:
    with uow_factory.begin() as uow:
        return a_session(uow, a_citizen(uow, consented=True, city="450100"))


@pytest.fixture
def grouped(uow_factory: UnitOfWorkFactory) -> ContestView:
    return open_contest(uow_factory, divisions=DIVISIONS, papers_per_day=2)


def begin(client: Any, contest: ContestView, phone: str, **body: Any) -> Any:
    return client.post(f"/contests/{contest.ref}/attempts", json=body, citizen=phone)


def submit(client: Any, paper: dict[str, Any], phone: str) -> None:
    answers = {"answers": some_right(seen(paper), 5)}
    done = client.post(f"/attempts/{paper['id']}/submission", json=answers, citizen=phone)
    assert done.status_code == 200


def test_the_first_paper_needs_a_group_which_then_stays(
    client: Any, grouped: ContestView, phone: str
) -> None:
    before = client.get(f"/contests/{grouped.ref}", citizen=phone).get_json()
    assert before["rules"]["divisions"] == DIVISIONS
    assert before["me"]["division"] is None
    refused = begin(client, grouped, phone)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "division_needed")
    assert begin(client, grouped, phone, division="nobody").status_code == 422

    paper = begin(client, grouped, phone, division="adult")
    assert paper.status_code == 201
    submit(client, paper.get_json(), phone)

    assert (
        client.get("/contests", citizen=phone).get_json()["items"][0]["me"]["division"] == "adult"
    )
    other = begin(client, grouped, phone, division="primary")
    assert (other.status_code, other.get_json()["code"]) == (409, "division_fixed")
    assert begin(client, grouped, phone).status_code == 201


def test_each_group_has_a_board_of_its_own(
    client: Any, uow_factory: UnitOfWorkFactory, grouped: ContestView, phone: str
) -> None:
    submit(client, begin(client, grouped, phone, division="adult").get_json(), phone)
    with uow_factory.begin() as uow:
        child = a_session(uow, a_citizen(uow, consented=True))
    submit(client, begin(client, grouped, child, division="primary").get_json(), child)
    board = f"/contests/{grouped.ref}/leaderboard"
    totals = {
        scope: client.get(board, query_string={"scope": scope}, citizen=phone).get_json()["total"]
        for scope in ("region", "division:adult", "division:primary")
    }
    assert totals == {"region": 2, "division:adult": 1, "division:primary": 1}
    assert client.get(board, query_string={"scope": "division:nobody"}).status_code == 422


def test_the_group_stays_when_the_citizen_moves(
    client: Any, uow_factory: UnitOfWorkFactory, grouped: ContestView, phone: str
) -> None:
    submit(client, begin(client, grouped, phone, division="adult").get_json(), phone)
    moved = client.put("/me", json={"city": "450200", "county": "450202"}, citizen=phone)
    assert moved.status_code == 200
    with uow_factory.begin(read_only=True) as uow:
        entry = uow.session.scalars(select(Entry)).one()
    assert (entry.city, entry.division) == ("450200", "adult")
    board = f"/contests/{grouped.ref}/leaderboard"
    for scope in ("division:adult", "city:450200"):
        found = client.get(board, query_string={"scope": scope}, citizen=phone).get_json()
        assert (found["total"], found["me"]["rank"]) == (1, 1)


def test_each_group_is_dealt_its_own_blueprint(
    client: Any, uow_factory: UnitOfWorkFactory, phone: str
) -> None:
    parts = [{"count": 10, "kind": "single"}]
    contest = open_contest(
        uow_factory,
        divisions=[{**DIVISIONS[0], "parts": parts}, DIVISIONS[1]],
    )
    paper = begin(client, contest, phone, division="primary").get_json()
    assert {question["kind"] for question in paper["questions"]} == {"single"}


def test_a_warm_up_comes_before_the_first_paper_only(
    client: Any, uow_factory: UnitOfWorkFactory, clock: FakeClock, phone: str
) -> None:
    contest = open_contest(uow_factory, warm_up_questions=3, papers_per_day=1)
    with uow_factory.begin() as uow:
        kept = uow.session.scalars(select(Question.ref).order_by(Question.id).limit(12)).all()
        uow.session.execute(update(Contest).values(left_out=list(kept)))
    shown = client.get(f"/contests/{contest.ref}", citizen=phone).get_json()
    assert (shown["rules"]["warm_up_questions"], shown["me"]["warm_up_left"]) == (3, 3)
    refused = begin(client, contest, phone)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "warm_up_first")
    assert "3" in refused.get_json()["detail"]

    made = client.post("/practice", json={"count": 5}, citizen=phone).get_json()
    for question in made["questions"][:3]:
        answered = client.post(
            f"/practice/{made['id']}/answers",
            json={"question_id": question["id"], "answer": [question["options"][0]["key"]]},
            citizen=phone,
        )
        assert answered.status_code == 200

    assert (
        client.get(f"/contests/{contest.ref}", citizen=phone).get_json()["me"]["warm_up_left"] == 0
    )
    submit(client, begin(client, contest, phone).get_json(), phone)
    clock.advance(86_400)
    assert begin(client, contest, phone).status_code == 201


def test_groups_cannot_change_under_those_who_chose_one(
    client: Any, uow_factory: UnitOfWorkFactory, grouped: ContestView, phone: str
) -> None:
    begin(client, grouped, phone, division="adult")
    for divisions in (None, [DIVISIONS[0], {"key": "middle", "title": "中学组"}]):
        with pytest.raises(RulesRefused) as refusal:
            open_contest(uow_factory, divisions=divisions)
        assert "papers have been dealt" in str(refusal.value.facts["reasons"])
    more = [*DIVISIONS, {"key": "middle", "title": "中学组"}]
    assert len(open_contest(uow_factory, divisions=more).rules.divisions) == 3


def test_groups_cannot_be_added_to_a_running_contest(
    client: Any, uow_factory: UnitOfWorkFactory, phone: str
) -> None:
    begin(client, open_contest(uow_factory), phone)
    with pytest.raises(RulesRefused) as refusal:
        open_contest(uow_factory, divisions=DIVISIONS)
    assert "papers have been dealt" in str(refusal.value.facts["reasons"])


def test_the_rules_page_tells_groups_and_warm_up(
    client: Any, uow_factory: UnitOfWorkFactory
) -> None:
    contest = open_contest(uow_factory, divisions=DIVISIONS, warm_up_questions=7)
    page = client.get(f"/contests/{contest.ref}/rules").get_json()
    sentences = {one["name"]: one["text"] for one in page["sentences"]}
    assert "小学组、成人组" in sentences["divisions"]
    assert "7" in sentences["warm_up"]
