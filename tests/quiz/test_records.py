"""The record of one's papers: closed ones, newest first, page by page, and nobody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from server.base.uow import UnitOfWorkFactory
from server.quiz.contests.service import ContestView
from server.quiz.models import RuleSetRow
from tests.conftest import application_of
from tests.kit import boards as kit
from tests.kit.accounts import a_citizen, a_session
from tests.kit.boards import a_contest, a_paper, an_entry, at_most, hand_in
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.pictures import a_picture
from tests.kit.quiz import all_right, open_contest, seen


def a_player(uow_factory: UnitOfWorkFactory, papers: int) -> tuple[str, ContestView, ContestView]:
    """A token with so many closed papers in one contest, one in another, and one still open."""
    with uow_factory.begin() as uow:
        me = a_citizen(uow)
        (other,) = kit.people(uow, 1)
        one, two = a_contest(uow, papers_per_day=9), a_contest(uow, papers_per_day=9)
        hand_in(uow, one, an_entry(uow, one, other), score=100)
        mine = an_entry(uow, one, me.id)
        for at in range(papers):
            day = uow.now - timedelta(days=papers - at)
            a_paper(uow, one, mine, score=at * 10, closed_at=day, time_ms=1000 + at)
        a_paper(uow, two, an_entry(uow, two, me.id), score=40, state="expired")
        a_paper(uow, one, mine, score=0, state="open")
        return a_session(uow, me), one, two


def test_closed_papers_come_newest_first_and_each_opens_again(
    client: Any, uow_factory: UnitOfWorkFactory, clock: FakeClock, gateway: RecordingGateway
) -> None:
    gateway.answers["mini_program_code"] = a_picture()
    contest = open_contest(uow_factory, papers_per_day=1)
    with uow_factory.begin() as uow:
        phone = a_session(uow, a_citizen(uow))
    ids = []
    for _ in range(2):
        paper = client.post(f"/contests/{contest.ref}/attempts", citizen=phone).get_json()
        clock.advance(83)
        answers = {"answers": all_right(seen(paper)[:4])}
        client.post(f"/attempts/{paper['id']}/submission", json=answers, citizen=phone)
        ids.append(paper["id"])
        clock.advance(86_400)
    listed = client.get("/me/attempts", citizen=phone).get_json()
    assert listed["next"] is None
    assert [one["id"] for one in listed["items"]] == ids[::-1]
    first = listed["items"][-1]
    assert first == {
        "id": ids[0], "contest": contest.ref, "contest_title": contest.title, "day": "2026-05-01",
        "state": "submitted", "closed_at": first["closed_at"], "score": 40, "max_score": 100,
        "correct_count": 4, "question_count": 10, "duration_ms": 83_000,
        "held": False, "appeal": None,
    }  # fmt: skip
    for one in listed["items"]:
        again = client.get(f"/attempts/{one['id']}", citizen=phone).get_json()
        assert (again["score"], again["duration_ms"]) == (one["score"], one["duration_ms"])
        assert len(again["review"]) == 10
        shared = {"kind": "quiz_result", "attempt_id": one["id"]}
        assert client.post("/shares", json=shared, citizen=phone).status_code == 201


def test_a_paper_that_ran_out_is_in_the_list_and_an_open_one_is_not(
    client: Any, uow_factory: UnitOfWorkFactory
) -> None:
    token, one, two = a_player(uow_factory, papers=2)
    listed = client.get("/me/attempts", citizen=token).get_json()["items"]
    assert [(each["contest"], each["state"], each["score"]) for each in listed] == [
        (two.ref, "expired", 40),
        (one.ref, "submitted", 10),
        (one.ref, "submitted", 0),
    ]


def test_the_list_is_of_one_contest_by_id_or_slug_and_404_for_none(
    client: Any, uow_factory: UnitOfWorkFactory
) -> None:
    token, one, two = a_player(uow_factory, papers=2)
    for name, count in ((one.ref, 2), (one.slug, 2), (two.ref, 1)):
        path = f"/me/attempts?contest={name}"
        assert len(client.get(path, citizen=token).get_json()["items"]) == count
    assert client.get("/me/attempts?contest=nothing", citizen=token).status_code == 404
    assert client.get("/me/attempts?contest=", citizen=token).status_code == 422
    assert client.get("/me/attempts?after=x", citizen=token).status_code == 422
    assert client.get("/me/attempts").status_code == 401


def test_pages_hold_every_paper_once_also_when_one_is_added_meanwhile(
    client: Any, uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    token, one, _ = a_player(uow_factory, papers=7)
    path = f"/me/attempts?contest={one.ref}&limit=3"
    page = client.get(path, citizen=token).get_json()
    found = [each["score"] for each in page["items"]]
    with uow_factory.begin() as uow:
        entry = uow.session.scalar(
            select(func.max(kit.Entry.id)).where(kit.Entry.contest_id == one.id)
        )
        a_paper(uow, one, int(entry or 0), score=90)
    while page["next"]:
        page = client.get(f"{path}&after={page['next']}", citizen=token).get_json()
        found += [each["score"] for each in page["items"]]
    assert found == [60, 50, 40, 30, 20, 10, 0]


def test_a_hundred_papers_of_many_rules_cost_what_one_costs(
    app: Flask, client: Any, uow_factory: UnitOfWorkFactory
) -> None:
    token, one, _ = a_player(uow_factory, papers=60)
    with uow_factory.begin() as uow:
        body = uow.session.scalar(select(RuleSetRow.body).where(RuleSetRow.contest_id == one.id))
        papers = uow.session.scalars(
            select(kit.Attempt).where(kit.Attempt.contest_id == one.id)
        ).all()
        for number, paper in enumerate(papers[:30]):
            version = f"old-{number}"
            uow.session.add(
                RuleSetRow(contest_id=one.id, version=version, body=body,
                           valid_from=uow.now - timedelta(days=90))
            )  # fmt: skip
            if paper.state is kit.AttemptState.OPEN:
                paper.rules_version = version
    for path in ("/me/attempts?limit=1", "/me/attempts?limit=100"):
        with at_most(application_of(app).uow_factory, 2):
            assert client.get(path, citizen=token).status_code == 200
