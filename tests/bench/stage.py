"""One house as in production, on a database of its own, filled with what the requests need."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import func, insert, select, text

from server.accounts.models import Consent, SessionToken
from server.app import Application, open_application
from server.base.ids import new_ref, new_token
from server.base.redis.address import read_address
from server.base.redis.embedded import EmbeddedServer
from server.base.settings import Operator
from server.base.settings_reader import load_settings
from server.base.signing import token_hash
from server.base.sql.patience import Use
from server.base.sql.schema import migrate_database
from server.base.uow import UnitOfWork
from server.channel import commands as channel
from server.programme.models import Participation
from server.quiz.contests.service import ContestView
from server.quiz.enums import AttemptState
from server.quiz.leaderboards.board_keys import TOTAL
from server.quiz.leaderboards.commands import rebuild_leaderboards
from server.quiz.leaderboards.tasks import sync_boards
from server.quiz.models import Attempt, Entry, Standing
from server.units import service as units
from tests.bench.letters import Account
from tests.kit import boards, quiz

# Papers dealt by the service; all others are copies of them under names of their own.
_DEALT = 40
_WATCHERS = 200
_chance = random.Random(20260501)
_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who is logged in and has agreed to the policy."""

    id: int
    token: str


@dataclass(frozen=True, kw_only=True)
class Paper:
    """An open paper with the answers that will be given, and what they are worth."""

    ref: str
    token: str
    answers: dict[str, list[str]]
    score: int


@dataclass
class SeededContest:
    """A contest that one server alone answers for, and who watches its board.

    Units: `places` citizen -> place by an independent sort.
    """

    view: ContestView
    places: dict[int, int] = field(default_factory=dict)
    watchers: list[Person] = field(default_factory=list)
    models: list[_Model] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Model:
    """A dealt paper: its row without what belongs to one citizen, and some answers."""

    row: dict[str, Any]
    answers: dict[str, list[str]]
    score: int


def environment(folder: Path, database_url: str, account: Account) -> dict[str, str]:
    """The settings of a house in production that can reach nobody."""
    mini = Account.fresh()
    nowhere = "http://127.0.0.1:9"
    values = {
        "ENVIRONMENT": "production",
        "VAR": str(folder),
        "DATABASE_URL": database_url,
        "REDIS_URL": "embedded:",
        "PUBLIC_URL": nowhere,
        "SECURITY__MASTER_KEY": secrets.token_urlsafe(48),
        "WECHAT__API_BASE": f"{nowhere}/api",
        "WECHAT__OPEN_BASE": f"{nowhere}/open",
        "WECHAT__MP_BASE": f"{nowhere}/mpweb",
        "POLICY_DATE": "2026-05-01",
        "ALLOW__SQLITE": "yes",
        "ALLOW__EMBEDDED_REDIS": "yes",
        "ALLOW__OTHER_WECHAT": "yes",
    }
    values |= {f"OPERATOR__{fact.name.upper()}": "a bench" for fact in fields(Operator)}
    for name, app in (("OFFICIAL_ACCOUNT", account), ("MINI_PROGRAM", mini)):
        values |= {
            f"WECHAT__{name}__APPID": app.appid,
            f"WECHAT__{name}__SECRET": secrets.token_hex(16),
            f"WECHAT__{name}__TOKEN": app.token,
            f"WECHAT__{name}__AES_KEY": app.aes_key,
            f"WECHAT__{name}__ORIGINAL_ID": app.original_id,
        }
    return {f"KEPU_{name}": value for name, value in values.items()}


class Stage:
    """The house, its Redis, and a contest for each server that is measured on its database."""

    def __init__(
        self, folder: Path, database_url: str, account: Account,
        overrides: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        folder.mkdir()
        self.folder = folder
        self.environment = {**environment(folder, database_url, account), **(overrides or {})}
        self.settings = load_settings(self.environment)
        self.redis = EmbeddedServer(folder).start_server()
        # Filling a database takes longer than a request may.
        self.application: Application = open_application(self.settings, use=Use.COMMANDS)
        migrate_database(self.application.uow_factory.engine)
        channel.seed_replies(self.application.uow_factory)

    def close(self) -> None:
        """Let go of database and Redis."""
        self.application.uow_factory.engine.dispose()
        self.application.uow_factory.dependencies.kv.kv.close()
        self.redis.stop_server()

    @property
    def peers_environment(self) -> dict[str, str]:
        """What a peer has to know to work on the same database and the same Redis."""
        address = read_address(self.folder)
        assert address is not None
        return {
            "PEER_DATABASE": self.settings.database_address,
            "PEER_REDIS": f"unix://{address.socket}",
            "PEER_POLICY": self.settings.policy_version,
        }

    def contest(self, slug: str, entries: int) -> SeededContest:
        """A contest of its own with so many on its board; some of them will look at it."""
        # The longest paper, so that none ends while the others are measured.
        view = quiz.open_contest(self.application.uow_factory, slug=slug, paper_seconds=7200)
        made = SeededContest(view=view)
        with self.application.uow_factory.begin() as uow:
            people = _people(uow, entries)
            stands = _put_on_board(uow, view.id, people)
        with self.application.uow_factory.begin() as uow:
            made.watchers = log_in(uow, people[:: max(1, entries // _WATCHERS)])
        made.places = {citizen: place for place, (*_, citizen) in enumerate(sorted(stands), 1)}
        return made

    def rebuild_boards(self) -> None:
        """Bring all standings to the product's boards."""
        rebuild_leaderboards(self.application.uow_factory, lambda _done, _total: None)

    def sweep_boards(self) -> None:
        """Copy recent standings to Redis, as the worker does every two seconds."""
        sync_boards(self.application.task_context)

    def newcomers(self, many: int) -> list[Person]:
        """Citizens who have begun no paper."""
        with self.application.uow_factory.begin() as uow:
            return log_in(uow, _people(uow, many))

    def papers(self, contest: SeededContest, many: int) -> list[Paper]:
        """Open papers of as many citizens, the same that the service deals."""
        if not contest.models:
            dealers = self.newcomers(_DEALT)
            with self.application.uow_factory.begin() as uow:
                contest.models = [_dealt(uow, contest.view, one) for one in dealers]
        people = self.newcomers(many)
        with self.application.uow_factory.begin() as uow:
            return _copied(uow, contest, people)

    def handed_in(self, contest: SeededContest) -> tuple[int, int]:
        """How many papers of a contest are submitted, and the sum of their scores."""
        asked = select(func.count(), func.sum(Attempt.score)).where(
            Attempt.state == AttemptState.SUBMITTED, Attempt.contest_id == contest.view.id
        )
        with self.application.uow_factory.begin(read_only=True) as uow:
            papers, points = uow.session.execute(asked).one()
            return papers, int(points or 0)

    def begun(self, contest: SeededContest) -> int:
        """How many papers there are in a contest."""
        asked = (
            select(func.count()).select_from(Attempt).where(Attempt.contest_id == contest.view.id)
        )
        with self.application.uow_factory.begin(read_only=True) as uow:
            return uow.session.scalar(asked) or 0

    def kept(self, refs: Sequence[str]) -> dict[str, dict[str, list[int]]]:
        """The answers kept on these papers."""
        asked = select(Attempt.ref, Attempt.answers).where(Attempt.ref.in_(refs))
        with self.application.uow_factory.begin(read_only=True) as uow:
            return {row.ref: row.answers for row in uow.session.execute(asked)}

    def answered_keys(self) -> int:
        """How many Idempotency-Keys have an answer that would be given again."""
        asked = text("SELECT count(*) FROM kept_answer WHERE status IS NOT NULL")
        with self.application.uow_factory.begin(read_only=True) as uow:
            return int(uow.session.execute(asked).scalar_one())

    def remembered(self) -> int:
        """How many keys Redis holds by which callbacks are known again."""
        address = read_address(self.folder)
        assert address is not None
        with redis.Redis(unix_socket_path=address.socket) as client:
            return sum(1 for _ in client.scan_iter(match="once:*", count=5000))

    def ranks_by_sort(self, contest: SeededContest) -> dict[int, int]:
        """Citizen -> place on the whole contest's board, sorted here from all standings."""
        asked = (
            select(
                Standing.points, Standing.time_ms, Standing.reached_at, Standing.entry_id,
                Entry.citizen_id,
            )
            .join(Entry, Entry.id == Standing.entry_id)
            .where(Standing.contest_id == contest.view.id, Standing.period == TOTAL)
        )  # fmt: skip
        with self.application.uow_factory.begin(read_only=True) as uow:
            rows = uow.session.execute(asked).all()
        best_first = sorted((-row[0], *row[1:]) for row in rows)
        return {citizen: place for place, (*_, citizen) in enumerate(best_first, 1)}

    def owner_of(self, ref: str) -> int:
        """The citizen whose paper it is."""
        with self.application.uow_factory.begin(read_only=True) as uow:
            return uow.session.scalars(select(Attempt.citizen_id).where(Attempt.ref == ref)).one()

    def standings_of(self, ref: str) -> list[int]:
        """The points of each standing that the entry of a paper has."""
        asked = (
            select(Standing.points)
            .join(Attempt, Attempt.entry_id == Standing.entry_id)
            .where(Attempt.ref == ref)
        )
        with self.application.uow_factory.begin(read_only=True) as uow:
            return list(uow.session.scalars(asked))

    def took_part(self, ref: str) -> int:
        """How many rows say that a paper's citizen took part by it."""
        asked = select(func.count()).select_from(Participation).where(
            Participation.kind == "paper", Participation.source_ref == ref
        )  # fmt: skip
        with self.application.uow_factory.begin(read_only=True) as uow:
            return uow.session.scalar(asked) or 0

    def city_rank_by_sort(self, ref: str) -> int | None:
        """The place of a paper's entry among those of its city, counted here."""
        with self.application.uow_factory.begin(read_only=True) as uow:
            mine = uow.session.scalars(
                select(Entry).join(Attempt, Attempt.entry_id == Entry.id).where(Attempt.ref == ref)
            ).one()
            if mine.city is None:
                return None
            rows = uow.session.execute(
                select(
                    Standing.points, Standing.time_ms, Standing.reached_at, Standing.entry_id
                )
                .join(Entry, Entry.id == Standing.entry_id)
                .where(Entry.contest_id == mine.contest_id, Entry.city == mine.city,
                       Standing.period == TOTAL)
            ).all()  # fmt: skip
            best_first = sorted((-row[0], *row[1:]) for row in rows)
            return [entry for *_, entry in best_first].index(mine.id) + 1


def _people(uow: UnitOfWork, many: int) -> list[int]:
    cities = units.load_regions().cities
    made: list[int] = []
    share = many // len(cities)
    for city in cities if share else ():
        made += boards.people(uow, share, city=city.code, county=city.counties[0].code)
    rest = many - len(made)
    return made + (boards.people(uow, rest) if rest else [])


def log_in(uow: UnitOfWork, citizens: Iterable[int]) -> list[Person]:
    """A session and a consent for each of these citizens."""
    people = [Person(id=citizen, token=new_token()) for citizen in citizens]
    consents = [
        {"ref": f"con_{next(_numbers)}", "citizen_id": person.id, "guardian": False,
         "policy_version": uow.settings.policy_version, "under_14": False, "given_at": uow.now}
        for person in people
    ]  # fmt: skip
    sessions = [
        {"token_hash": token_hash(person.token), "citizen_id": person.id, "made_at": uow.now,
         "expires_at": uow.now + timedelta(days=1)}
        for person in people
    ]  # fmt: skip
    if people:
        uow.session.execute(insert(Consent), consents)
        uow.session.execute(insert(SessionToken), sessions)
    return people


def _put_on_board(
    uow: UnitOfWork, contest_id: int, people: Sequence[int]
) -> list[tuple[int, int, datetime, int, int]]:
    """Entries with a total: what they are ordered by, the best least, and their citizens."""
    order, stands = [], []
    for entry_id, citizen in _entries(uow, contest_id, people):
        points, time_ms = _chance.randint(1, 60) * 10, _chance.randint(20_000, 2_000_000)
        reached = uow.now.replace(microsecond=0) - timedelta(seconds=_chance.randint(1, 80_000))
        order.append((-points, time_ms, reached, entry_id, citizen))
        stands.append({"contest_id": contest_id, "entry_id": entry_id, "period": TOTAL,
                       "points": points, "time_ms": time_ms, "reached_at": reached, "version": 1,
                       "changed_at": uow.now})  # fmt: skip
    if stands:
        uow.session.execute(insert(Standing), stands)
    return order


def _entries(uow: UnitOfWork, contest_id: int, people: Sequence[int]) -> list[tuple[int, int]]:
    """An entry for each of them, spread over the cities; numbers of entries and of citizens."""
    if not people:
        return []
    cities = units.load_regions().cities
    rows = []
    for at, citizen in enumerate(people):
        city = cities[at % len(cities)]
        rows.append({"contest_id": contest_id, "citizen_id": citizen, "left_scopes": [],
                     "city": city.code, "county": city.counties[0].code})  # fmt: skip
    made = uow.session.execute(insert(Entry).returning(Entry.id, Entry.citizen_id), rows)
    return [(row.id, row.citizen_id) for row in made]


def _dealt(uow: UnitOfWork, contest: ContestView, person: Person) -> _Model:
    view = quiz.started(uow, contest, person.id)
    right = _chance.randint(0, 10)
    answers = quiz.some_right(quiz.shown(view), right)
    row = uow.session.execute(select(Attempt.__table__).where(Attempt.ref == view.sheet.ref))
    facts = dict(row.mappings().one())
    for own in ("id", "ref", "entry_id", "citizen_id"):
        del facts[own]
    return _Model(row=facts, answers=answers, score=right * 10)


def _copied(uow: UnitOfWork, contest: SeededContest, people: Sequence[Person]) -> list[Paper]:
    entries = {citizen: entry for entry, citizen in
               _entries(uow, contest.view.id, [person.id for person in people])}  # fmt: skip
    rows, papers = [], []
    for at, person in enumerate(people):
        model, ref = contest.models[at % len(contest.models)], new_ref("att")
        rows.append({**model.row, "ref": ref, "citizen_id": person.id,
                     "entry_id": entries[person.id]})  # fmt: skip
        papers.append(
            Paper(ref=ref, token=person.token, answers=model.answers, score=model.score)
        )  # fmt: skip
    if rows:
        uow.session.execute(insert(Attempt), rows)
    return papers
