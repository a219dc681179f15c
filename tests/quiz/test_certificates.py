"""The score certificate of a contest: what it says, and when there is a right to it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from server.accounts.models import Citizen
from server.base.uow import UnitOfWorkFactory
from server.quiz.contests.service import ContestView
from server.quiz.models import Entry
from server.wechat.gateway import Verdict
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import open_contest, started, take


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        return a_citizen(uow, nickname="韦小明", city="450100")


@pytest.fixture
def phone(uow_factory: UnitOfWorkFactory, person: Person) -> str:
    with uow_factory.begin() as uow:
        return a_session(uow, person)


def asked(client: Any, phone: str, source: str, **more: Any) -> Any:
    body = {"kind": "quiz_score", "source": source, **more}
    return client.post("/certificates", json=body, citizen=phone)


def told(certificate: dict[str, Any]) -> dict[str, str]:
    return {one["label"]: one["value"] for one in certificate["details"]}


def test_a_closed_paper_gives_one_certificate_by_contest_slug_or_paper(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView, person: Person, phone: str
) -> None:
    before = asked(client, phone, contest.ref)
    assert (before.status_code, before.get_json()["code"]) == (409, "certificate_not_earned")
    assert "还没有交卷" in before.get_json()["detail"]
    paper = take(uow_factory, contest, person.id, right=9).sheet.ref
    first = asked(client, phone, contest.ref)
    assert first.status_code == 201
    made = first.get_json()
    assert (made["kind"], made["source"], made["name"]) == ("quiz_score", contest.ref, "韦小明")
    assert told(made)["总成绩"] == "90分"
    assert told(made)["单份最好成绩"] == "90分（满分100分）"
    for source in (contest.ref, contest.slug, paper):
        again = asked(client, phone, source)
        assert (again.status_code, again.get_json()["serial"]) == (200, made["serial"])


def test_an_open_paper_and_somebody_elses_give_no_right(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView, person: Person, phone: str
) -> None:
    with uow_factory.begin() as uow:
        started(uow, contest, person.id)
        rival = a_citizen(uow).id
    assert asked(client, phone, contest.ref).status_code == 409
    others = take(uow_factory, contest, rival).sheet.ref
    assert asked(client, phone, others).status_code == 404
    assert asked(client, phone, "cst_nothing").status_code == 404


def test_the_score_is_the_present_one_and_held_results_withhold_the_certificate(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView, person: Person,
    phone: str, clock: FakeClock,
) -> None:  # fmt: skip
    take(uow_factory, contest, person.id, right=9)
    serial = asked(client, phone, contest.ref).get_json()["serial"]
    clock.advance(86_400)
    take(uow_factory, contest, person.id, right=10)
    (mine,) = client.get("/me/certificates", citizen=phone).get_json()["items"]
    assert (mine["serial"], told(mine)["总成绩"], told(mine)["完成答卷"]) == (
        serial,
        "190分",
        "2份",
    )
    assert "190分" in client.get(f"/verify/{serial}").get_data(as_text=True)
    with uow_factory.begin() as uow:
        uow.session.execute(update(Entry).values(held_at=uow.now))
    assert client.get(f"/certificates/{serial}.png", citizen=phone).status_code == 404
    assert "暂时无效" in client.get(f"/verify/{serial}").get_data(as_text=True)
    assert asked(client, phone, contest.ref).get_json()["code"] == "certificate_not_earned"
    with uow_factory.begin() as uow:
        uow.session.execute(update(Entry).values(held_at=None))
    assert asked(client, phone, contest.ref).get_json()["serial"] == serial


def test_the_page_of_certificates_offers_what_can_be_asked_for(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView, person: Person, phone: str
) -> None:
    def listed() -> tuple[list[str], list[str]]:
        own = client.get("/me/certificates", citizen=phone).get_json()
        return ([one["source"] for one in own["items"]],
                [one["source"] for one in own["available"]])  # fmt: skip

    assert listed() == ([], [])
    take(uow_factory, contest, person.id)
    assert listed() == ([], [contest.ref])
    asked(client, phone, contest.ref)
    assert listed() == ([contest.ref], [])


@pytest.mark.parametrize(
    ("season", "total"), [("papers_handed_in", "1份"), ("mean_of_papers", "90分")]
)
def test_the_total_has_the_unit_of_the_season(
    client: Any, uow_factory: UnitOfWorkFactory, person: Person, phone: str, season: str, total: str
) -> None:
    contest = open_contest(uow_factory, slug="season", season_score=season)
    take(uow_factory, contest, person.id, right=9)
    assert told(asked(client, phone, contest.ref).get_json())["总成绩"] == total


@pytest.mark.parametrize("nickname", [None, "😀"])
def test_a_certificate_needs_a_name_from_a_citizen_who_has_none_that_can_be_drawn(
    client: Any, gateway: RecordingGateway, uow_factory: UnitOfWorkFactory, contest: ContestView,
    person: Person, phone: str, nickname: str | None,
) -> None:  # fmt: skip
    gateway.answers["check_text"] = Verdict.PASS
    take(uow_factory, contest, person.id)
    with uow_factory.begin() as uow:
        uow.session.execute(update(Citizen).values(nickname=nickname))
    (offer,) = client.get("/me/certificates", citizen=phone).get_json()["available"]
    assert offer["name"].startswith("科普伙伴")
    assert not offer["named"]
    refused = asked(client, phone, contest.ref)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "certificate_name_needed")
    assert "请先填写真实姓名" in refused.get_json()["detail"]
    assert client.get("/me/certificates", citizen=phone).get_json()["items"] == []
    made = asked(client, phone, contest.ref, name="韦小妹")
    assert (made.status_code, made.get_json()["name"]) == (201, "韦小妹")
    again = asked(client, phone, contest.ref)
    assert (again.status_code, again.get_json()["serial"]) == (200, made.get_json()["serial"])
