"""One house as in production, on a database of its own, filled with what the requests need."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import redis
from sqlalchemy import func, insert, select

from server.accounts.models import Consent, SessionToken
from server.app import House, open_house
from server.base.ids import new_token
from server.base.kv.address import read_address
from server.base.kv.embedded import EmbeddedServer
from server.base.schema import migrate
from server.base.settings import Operator, load_settings
from server.base.signing import token_hash
from server.base.work import Work
from server.channel import commands as channel
from server.quiz.board_commands import rebuild_leaderboards
from server.quiz.board_keys import TOTAL
from server.quiz.contests import ContestView
from server.quiz.kinds import AttemptState
from server.quiz.models import Attempt, Entry, Standing
from server.units import service as units
from tests.bench.letters import Account
from tests.kit import boards, quiz

_CHUNK = 100
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
    """The house, its Redis and its contest."""

    def __init__(self, folder: Path, database_url: str, account: Account) -> None:
        folder.mkdir()
        self.folder = folder
        self.environment = environment(folder, database_url, account)
        self.settings = load_settings(self.environment)
        self.redis = EmbeddedServer(folder).start()
        self.house: House = open_house(self.settings)
        migrate(self.house.desk.engine)
        channel.seed_replies(self.house.desk)
        # The longest paper, so that none ends while the others are measured.
        self.contest: ContestView = quiz.open_contest(self.house.desk, paper_seconds=7200)
        self.places: dict[int, int] = {}
        self.watchers: list[Person] = []

    def close(self) -> None:
        """Let go of database and Redis."""
        self.house.desk.engine.dispose()
        self.house.desk.tools.kv.kv.close()
        self.redis.stop()

    def fill_board(self, entries: int) -> None:
        """A board with so many on it; some of them will look at it."""
        with self.house.desk.work() as work:
            people = _people(work, entries)
            stands = _put_on_board(work, self.contest.id, people)
        with self.house.desk.work() as work:
            self.watchers = _logged_in(work, people[:: max(1, entries // _WATCHERS)])
        self.places = {citizen: place for place, (*_, citizen) in enumerate(sorted(stands), 1)}
        rebuild_leaderboards(self.house.desk, lambda _done, _total: None)

    def newcomers(self, many: int) -> list[Person]:
        """Citizens who have begun no paper."""
        with self.house.desk.work() as work:
            return _logged_in(work, _people(work, many))

    def papers(self, many: int) -> list[Paper]:
        """Open papers of as many citizens, begun through the service."""
        made: list[Paper] = []
        for some in _chunks(self.newcomers(many)):
            with self.house.desk.work() as work:
                made += [_begun(work, self.contest, person) for person in some]
        return made

    def handed_in(self) -> tuple[int, int]:
        """How many papers are submitted, and the sum of their scores."""
        asked = select(func.count(), func.sum(Attempt.score)).where(
            Attempt.state == AttemptState.SUBMITTED
        )
        with self.house.desk.work(read_only=True) as work:
            papers, points = work.session.execute(asked).one()
            return papers, int(points or 0)

    def begun(self) -> int:
        """How many papers there are."""
        with self.house.desk.work(read_only=True) as work:
            return work.session.scalar(select(func.count()).select_from(Attempt)) or 0

    def kept(self, refs: list[str]) -> dict[str, dict[str, list[int]]]:
        """The answers kept on these papers."""
        asked = select(Attempt.ref, Attempt.answers).where(Attempt.ref.in_(refs))
        with self.house.desk.work(read_only=True) as work:
            return {row.ref: row.answers for row in work.session.execute(asked)}

    def remembered(self) -> int:
        """How many keys Redis holds by which callbacks are known again."""
        address = read_address(self.folder)
        assert address is not None
        with redis.Redis(unix_socket_path=address.socket) as client:
            return sum(1 for _ in client.scan_iter(match="once:*", count=5000))


def _people(work: Work, many: int) -> list[int]:
    cities = units.regions().cities
    made: list[int] = []
    for city in cities:
        share = many // len(cities)
        made += boards.people(work, share, city=city.code, county=city.counties[0].code)
    return made + boards.people(work, many - len(made))


def _logged_in(work: Work, citizens: list[int]) -> list[Person]:
    people = [Person(id=citizen, token=new_token()) for citizen in citizens]
    consents = [
        {"ref": f"con_{next(_numbers)}", "citizen_id": person.id, "guardian": False,
         "policy_version": work.settings.policy_version, "under_14": False, "given_at": work.now}
        for person in people
    ]  # fmt: skip
    sessions = [
        {"token_hash": token_hash(person.token), "citizen_id": person.id, "made_at": work.now,
         "expires_at": work.now + timedelta(days=1)}
        for person in people
    ]  # fmt: skip
    work.session.execute(insert(Consent), consents)
    work.session.execute(insert(SessionToken), sessions)
    return people


def _put_on_board(
    work: Work, contest_id: int, people: list[int]
) -> list[tuple[int, int, datetime, int, int]]:
    """Entries with a total: what they are ordered by, the best least, and their citizens."""
    regions = units.regions()
    order, rows = [], []
    for at, citizen in enumerate(people):
        city = regions.cities[at % len(regions.cities)]
        rows.append({"contest_id": contest_id, "citizen_id": citizen, "left_scopes": [],
                     "city": city.code, "county": city.counties[0].code})  # fmt: skip
    made = work.session.execute(insert(Entry).returning(Entry.id, Entry.citizen_id), rows)
    stands = []
    for entry_id, citizen in made:
        points, time_ms = _chance.randint(1, 60) * 10, _chance.randint(20_000, 2_000_000)
        reached = work.now.replace(microsecond=0) - timedelta(seconds=_chance.randint(1, 80_000))
        order.append((-points, time_ms, reached, entry_id, citizen))
        stands.append({"contest_id": contest_id, "entry_id": entry_id, "period": TOTAL,
                       "points": points, "time_ms": time_ms, "reached_at": reached, "version": 1,
                       "changed_at": work.now})  # fmt: skip
    work.session.execute(insert(Standing), stands)
    return order


def _begun(work: Work, contest: ContestView, person: Person) -> Paper:
    view = quiz.started(work, contest, person.id)
    right = _chance.randint(0, 10)
    answers = quiz.some_right(quiz.shown(view), right)
    return Paper(ref=view.sheet.ref, token=person.token, answers=answers, score=right * 10)


def _chunks(people: list[Person]) -> Iterator[list[Person]]:
    return (people[at : at + _CHUNK] for at in range(0, len(people), _CHUNK))
