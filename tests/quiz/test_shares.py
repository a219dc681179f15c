"""Cards of results: one for each paper, with a poster of its own, and nothing earned by them."""

from __future__ import annotations

import ast
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select, update

from server.accounts import identities, privacy
from server.accounts.models import Citizen
from server.base.access import REGION
from server.base.jobs import TaskContext
from server.base.ownership import owned_by
from server.base.sql.tables import Base
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import commands as channel
from server.channel.models import SceneCode, SceneVisit, VisitedApp
from server.quiz import tasks
from server.quiz.attempts import service as attempts
from server.quiz.contests.service import ContestView
from server.quiz.models import Attempt, Entry, Share, Standing
from server.quiz.sharing import service as shares
from server.quiz.sharing.poster import Poster
from server.wechat.errors import NotSent
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.outbox import without_jitter
from tests.kit.paths import ROOT
from tests.kit.pictures import a_code
from tests.kit.quiz import take

CODE = a_code()


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        return a_citizen(uow, nickname="韦小明", city="450100")


@pytest.fixture
def phone(uow_factory: UnitOfWorkFactory, person: Person) -> str:
    with uow_factory.begin() as uow:
        return a_session(uow, person)


@pytest.fixture
def paper(uow_factory: UnitOfWorkFactory, contest: ContestView, person: Person) -> str:
    """A paper of ninety points that was handed in."""
    return take(uow_factory, contest, person.id, right=9).sheet.ref


@pytest.fixture
def gateway(gateway: RecordingGateway) -> RecordingGateway:
    gateway.answers["mini_program_code"] = CODE
    return gateway


def shared(client: Any, phone: str, paper: str) -> Any:
    body = {"kind": "quiz_result", "attempt_id": paper}
    return client.post("/shares", json=body, citizen=phone)


def words(uow_factory: UnitOfWorkFactory, ref: str) -> Poster:
    with uow_factory.begin(read_only=True) as uow:
        return shares.read_poster(uow, ref)


def test_a_closed_paper_has_one_card(
    client: Any, gateway: RecordingGateway, phone: str, paper: str
) -> None:
    first = shared(client, phone, paper)
    assert first.status_code == 201
    card = first.get_json()
    assert card["path"] == f"/{shares.PAGE}?scene={card['id']}"
    assert card["image_url"] == f"/api/v1/shares/{card['id']}/image.png"
    assert card["card_url"] == f"/api/v1/shares/{card['id']}/card.png"
    assert card["title"] == "《科学素质竞赛》我答了 90 分"
    assert shared(client, phone, paper).get_json() == card
    assert gateway.called("mini_program_code") == [(card["id"], shares.PAGE)]
    assert 1 <= len(card["id"]) <= 32


def test_the_poster_is_public_and_shows_the_result(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    phone: str,
    paper: str,
    person: Person,
) -> None:
    ref = shared(client, phone, paper).get_json()["id"]
    answer = client.get(f"/shares/{ref}/image.png")
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    with Image.open(io.BytesIO(answer.data)) as picture:
        assert (picture.format, picture.size) == ("PNG", (750, 1334))
        code = picture.crop((235, 970, 515, 1250)).convert("L")
        dark = sum(1 for value in code.get_flattened_data() if value < 128)
    assert 10_000 < dark < 60_000  # the code stands where it should
    said = words(uow_factory, ref)
    assert (said.name, said.score, said.contest) == ("韦*", "90", "科学素质竞赛")
    assert said.lines == ("答对 9 题，共 10 题", "交卷时全区第 1 名", "交卷时南宁市第 1 名")
    with uow_factory.begin() as uow:
        uow.session.execute(update(Entry).values(city="450300", left_scopes=["city:450100"]))
    assert words(uow_factory, ref).lines[-1] == "交卷时全市第 1 名"
    with uow_factory.begin() as uow:
        uow.session.get_one(Citizen, person.id).public_rank = True
    assert words(uow_factory, ref).name == "韦小明"
    assert client.get("/shares/shr_nothing/image.png").status_code == 404


def test_the_picture_of_a_chat_is_public_and_waits_for_no_code(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    phone: str,
    paper: str,
    person: Person,
) -> None:
    gateway.answers["mini_program_code"] = NotSent()
    ref = shared(client, phone, paper).get_json()["id"]
    answer = client.get(f"/shares/{ref}/card.png")
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    with Image.open(io.BytesIO(answer.data)) as picture:
        assert (picture.format, picture.size) == ("PNG", (750, 600))
    with uow_factory.begin(read_only=True) as uow:
        said = shares.read_card(uow, ref)
    assert (said.name, said.score, said.contest) == ("韦*", "90", "科学素质竞赛")
    assert client.get("/shares/shr_nothing/card.png").status_code == 404
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, person.id)
    assert client.get(f"/shares/{ref}/card.png").status_code == 404


def test_the_picture_of_a_chat_tells_no_more_than_the_poster(
    client: Any, uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, phone: str, paper: str
) -> None:
    ref = shared(client, phone, paper).get_json()["id"]
    with uow_factory.begin(read_only=True) as uow:
        told, more = vars(shares.read_card(uow, ref)), vars(shares.read_poster(uow, ref))
    assert told.items() <= more.items()
    assert told.keys() == {"campaign", "contest", "name", "score", "score_note"}


def test_a_name_that_cannot_be_drawn_is_replaced_by_words(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    phone: str,
    paper: str,
    person: Person,
) -> None:
    ref = shared(client, phone, paper).get_json()["id"]
    for nickname, public, named in (
        ("😀👩\u200d🔬", False, "科普伙伴"),
        ("𪚥", True, "科普伙伴"),
        ("😀韦", True, "😀韦"),  # of which the poster draws what it can
    ):
        with uow_factory.begin() as uow:
            citizen = uow.session.get_one(Citizen, person.id)
            citizen.nickname, citizen.public_rank = nickname, public
        assert words(uow_factory, ref).name == named
    assert client.get(f"/shares/{ref}/image.png").status_code == 200


def test_only_an_own_closed_paper_is_shared(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    clock: FakeClock,
    contest: ContestView,
    phone: str,
    paper: str,
    person: Person,
    gateway: RecordingGateway,
) -> None:
    with uow_factory.begin() as uow:
        stranger = a_session(uow, a_citizen(uow))
        unasked = a_session(uow, a_citizen(uow, consented=False))
    assert shared(client, stranger, paper).status_code == 404
    assert shared(client, phone, "att_nothing").status_code == 404
    assert shared(client, unasked, paper).status_code == 409
    clock.advance(86_400)
    with uow_factory.begin() as uow:
        still_open = attempts.start_paper(uow, contest.ref, person.id).view.sheet.ref
    refused = shared(client, phone, still_open)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "attempt_open")
    assert gateway.calls == []
    body = {"kind": "lottery", "attempt_id": paper}
    assert client.post("/shares", json=body, citizen=phone).status_code == 422


def test_a_poster_waits_for_its_code_and_is_never_shown_without(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    clock: FakeClock,
    gateway: RecordingGateway,
    phone: str,
    paper: str,
) -> None:
    gateway.answers["mini_program_code"] = NotSent()
    card = shared(client, phone, paper).get_json()
    answer = client.get(f"/shares/{card['id']}/image.png")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "poster_not_ready")
    assert int(answer.headers["Retry-After"]) > 0
    context = TaskContext(uow_factory=without_jitter(uow_factory), gateway=gateway)
    assert tasks.fetch_share_codes(context) == 0
    clock.advance(60)
    assert tasks.fetch_share_codes(context) == 0  # still away
    gateway.answers["mini_program_code"] = CODE
    assert tasks.fetch_share_codes(context) == 0  # asked a moment ago
    clock.advance(60)
    assert tasks.fetch_share_codes(context) == 1
    assert client.get(f"/shares/{card['id']}/image.png").status_code == 200
    assert {scene for scene, _ in gateway.called("mini_program_code")} == {card["id"]}
    clock.advance(3600)
    assert tasks.fetch_share_codes(context) == 0


def test_sharing_again_brings_a_code_that_was_missing(
    client: Any, gateway: RecordingGateway, phone: str, paper: str
) -> None:
    gateway.answers["mini_program_code"] = NotSent()
    card = shared(client, phone, paper).get_json()
    gateway.answers["mini_program_code"] = CODE
    assert shared(client, phone, paper).get_json() == card
    assert client.get(f"/shares/{card['id']}/image.png").status_code == 200


def test_a_card_goes_with_its_citizen(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    phone: str,
    paper: str,
    person: Person,
) -> None:
    ref = shared(client, phone, paper).get_json()["id"]
    with uow_factory.begin() as uow:
        (told,) = privacy.export_citizen(uow, person.id)["shares"]
        assert (told["id"], told["contest"]) == (ref, "科学素质竞赛")
        privacy.erase_citizen(uow, person.id)
    assert client.get(f"/shares/{ref}/image.png").status_code == 404


# --- visits


def visits(uow_factory: UnitOfWorkFactory) -> list[tuple[int, str]]:
    with uow_factory.begin(read_only=True) as uow:
        rows = uow.session.execute(
            select(SceneVisit.citizen_id, SceneVisit.scene)
            .where(SceneVisit.app == VisitedApp.MINI_PROGRAM)
            .order_by(SceneVisit.id)
        )
        return [(row[0], row[1]) for row in rows]


def test_a_visit_is_noted_once_for_each_citizen_code_and_beijing_day(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    clock: FakeClock,
    gateway: RecordingGateway,
    phone: str,
    paper: str,
) -> None:
    ref = shared(client, phone, paper).get_json()["id"]
    with uow_factory.begin() as uow:
        guest = a_citizen(uow)
        visitor = a_session(uow, guest)
        unasked = a_session(uow, a_citizen(uow, consented=False))
    clock.set(clock.now().replace(hour=15, minute=59, second=59))  # a second before midnight
    for _ in range(3):
        answer = client.post("/visits", json={"scene": ref}, citizen=visitor)
        assert (answer.status_code, answer.data) == (204, b"")
    assert len(visits(uow_factory)) == 1
    clock.advance(1)
    client.post("/visits", json={"scene": ref}, citizen=visitor)
    assert visits(uow_factory) == [(guest.id, ref)] * 2
    assert client.post("/visits", json={"scene": ref}).status_code == 401
    assert client.post("/visits", json={"scene": ref}, citizen=unasked).status_code == 409
    for scene in ("", "x" * 129):
        assert client.post("/visits", json={"scene": scene}, citizen=visitor).status_code == 422


def a_code(uow: UnitOfWork) -> SceneCode:
    return SceneCode(
        scene="poster-7", ticket="t", url="u", picture_url="p", made_at=uow.now,
        **owned_by(REGION),
    )  # fmt: skip


def test_a_channels_code_is_known_and_any_other_scene_is_not_noted(
    client: Any, uow_factory: UnitOfWorkFactory, phone: str, person: Person
) -> None:
    channel.seed_replies(uow_factory)
    with uow_factory.begin() as uow:
        uow.session.add(a_code(uow))
    for scene in ("poster-7", "contest", "shr_nothing", "x" * 128, "a b"):
        assert client.post("/visits", json={"scene": scene}, citizen=phone).status_code == 204
    assert visits(uow_factory) == [(person.id, "poster-7"), (person.id, "contest")]


def test_visits_are_exported_handed_over_once_and_forgotten(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        uow.session.add(a_code(uow))
        keep, gone = a_citizen(uow).id, a_citizen(uow).id
        for citizen in (keep, gone):
            shares.record_visit(uow, citizen, "poster-7")
        identities.merge_citizens(uow, keep, gone)
    assert visits(uow_factory) == [(keep, "poster-7")]
    with uow_factory.begin() as uow:
        assert len(privacy.export_citizen(uow, keep)["visits"]) == 1
        privacy.erase_citizen(uow, keep)
    assert visits(uow_factory) == []


# --- nothing is earned


def everything(uow_factory: UnitOfWorkFactory) -> list[Any]:
    """All that a citizen can have by playing, row by row."""
    found: list[Any] = []
    with uow_factory.begin(read_only=True) as uow:
        for table in (Attempt, Entry, Standing):
            rows = uow.session.execute(select(table.__table__).order_by(table.id)).all()
            found.append([tuple(map(str, row)) for row in rows])
    return found


def test_fifty_shares_and_visits_change_no_paper_no_score_and_no_rank(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    contest: ContestView,
    phone: str,
    paper: str,
) -> None:
    rival = a_rival(uow_factory, contest)
    before = everything(uow_factory)
    seen = [
        client.get(f"/contests/{contest.ref}", citizen=phone).get_json()["me"],
        client.get(f"/contests/{contest.ref}/leaderboard", citizen=phone).get_json()["items"],
    ]
    for number in range(50):
        ref = shared(client, phone, paper).get_json()["id"]
        with uow_factory.begin() as uow:
            visitor = a_session(uow, a_citizen(uow))
        for citizen in (visitor, rival, phone):
            client.post("/visits", json={"scene": ref}, citizen=citizen)
        if number % 10 == 0:
            client.get(f"/shares/{ref}/image.png")
    assert everything(uow_factory) == before
    assert seen == [
        client.get(f"/contests/{contest.ref}", citizen=phone).get_json()["me"],
        client.get(f"/contests/{contest.ref}/leaderboard", citizen=phone).get_json()["items"],
    ]
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(Share)) == 1
        counted = select(func.count()).where(SceneVisit.app == VisitedApp.MINI_PROGRAM)
        assert uow.session.scalar(counted) == 52


def a_rival(uow_factory: UnitOfWorkFactory, contest: ContestView) -> str:
    with uow_factory.begin() as uow:
        rival = a_citizen(uow)
    take(uow_factory, contest, rival.id, right=8)
    with uow_factory.begin() as uow:
        return a_session(uow, rival)


# Who may write what when somebody shares, visits or follows.
_MAY_WRITE = {
    "server/quiz/sharing/service.py": {"Share"},
    "server/quiz/sharing/api.py": set(),
    "server/quiz/sharing/poster.py": set(),
    "server/quiz/leaderboards/groups.py": {"WeChatGroup", "GroupMember"},
    "server/channel/service.py": {"Follower", "LateReply", "SeenMessage"},
    "server/channel/visits.py": {"SceneVisit"},
    "server/channel/scenes.py": set(),
}
_WRITES = {"insert", "insert_for", "update", "delete"}


def written(path: Path) -> set[str]:
    """The tables that a file writes: statements, and objects that are made."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    tables = {mapper.class_.__name__ for mapper in Base.registry.mappers}
    found = set()
    for call in calls:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
        if name in _WRITES:
            found |= {ast.unparse(arg) for arg in call.args if ast.unparse(arg)[:1].isupper()}
        if name in tables:
            found.add(name)
    return found


@pytest.mark.parametrize("path", _MAY_WRITE)
def test_who_shares_visits_or_follows_is_given_nothing(path: str) -> None:
    assert written(ROOT / path) <= _MAY_WRITE[path]


def test_the_scan_sees_what_is_written() -> None:
    assert written(ROOT / "server/quiz/sharing/service.py") == {"Share"}
    assert {"Follower"} <= written(ROOT / "server/channel/service.py")
    assert {"SceneVisit"} <= written(ROOT / "server/channel/visits.py")
    assert {"Attempt", "Entry"} & written(ROOT / "server/quiz/attempts/personal_data.py")
