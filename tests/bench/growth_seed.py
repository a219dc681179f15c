"""A contest with many players, made inside the database: one closed paper each, of today.

All of it is copied by statements from a few papers that the services dealt and closed, so that a
million players take minutes and not hours.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, create_engine, select, text

from server.quiz.enums import Tally
from server.quiz.models import Attempt
from server.units import service as units
from tests.bench.stage import SeededContest, Stage
from tests.kit import quiz

# Papers that all others are copies of.
_PATTERNS = 44
# Instants of the copies lie within so many seconds before the seeding.
_SPREAD = 80_000


@dataclass(frozen=True)
class _Words:
    """How a database says what the two say differently."""

    series: str
    instant: str
    empty_list: str
    first: tuple[str, ...]
    fixed: tuple[str, ...]


_WORDS = {
    "sqlite": _Words(
        series="WITH RECURSIVE g(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM g"
               " WHERE n < :last), ",
        instant="strftime('%Y-%m-%d %H:%M:%f', {0}, 'unixepoch') || '000'",
        empty_list="'[]'",
        # Rows go to random places of the indexes, which SQLite would read again for each.
        first=("PRAGMA cache_size = -524288",),
        fixed=("PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA optimize"),
    ),
    "postgresql": _Words(
        series="WITH g(n) AS (SELECT generate_series(CAST(:first AS bigint),"
               " CAST(:last AS bigint))), ",
        instant="to_timestamp({0})",
        empty_list="CAST('[]' AS json)",
        first=(),
        fixed=(
            "SELECT setval(pg_get_serial_sequence('citizen', 'id'), (SELECT max(id) FROM citizen))",
            "SELECT setval(pg_get_serial_sequence('entry', 'id'), (SELECT max(id) FROM entry))",
            "VACUUM ANALYZE",
        ),
    ),
}  # fmt: skip


def seed_players(stage: Stage, contest: SeededContest, many: int) -> list[int]:
    """So many players with a paper each; a few of their citizens.

    Each has a citizen with identity, session and consent, an entry, a closed attempt, its three
    standings and its row of participation.
    """
    first_pattern = _patterns(stage, contest)
    engine = create_engine(stage.settings.database_address)
    name = engine.dialect.name
    words = _WORDS[name]
    with engine.begin() as connection:
        for statement in words.first:
            connection.execute(text(statement))
        first = _first_free(connection)
        known = {"first": first, "last": first + many - 1, "pattern": first_pattern,
                 "contest": contest.view.id, "policy": stage.settings.policy_version}  # fmt: skip
        for statement in _statements(words):
            wanted = {name: value for name, value in known.items() if f":{name}" in statement}
            connection.execute(text(statement), wanted)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in words.fixed:
            connection.execute(text(statement))
    engine.dispose()
    return list(range(first, first + many, max(1, many // 200)))[:200]


def bytes_of(stage: Stage) -> int:
    """How much room the database takes."""
    engine = create_engine(stage.settings.database_address)
    asked = {
        "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
        "postgresql": "SELECT pg_database_size(current_database())",
    }
    with engine.connect() as connection:
        found = connection.execute(text(asked[engine.dialect.name])).scalar_one()
    engine.dispose()
    return int(found)


def _patterns(stage: Stage, contest: SeededContest) -> int:
    """Papers of ten questions taken by the services; the number of the first of them."""
    factory = stage.application.uow_factory
    for at, person in enumerate(stage.newcomers(_PATTERNS)):
        quiz.take(factory, contest.view, person.id, right=at % 11)
    with factory.begin(read_only=True) as uow:
        numbers = uow.session.scalars(
            select(Attempt.id).where(Attempt.contest_id == contest.view.id).order_by(Attempt.id)
        ).all()
    if numbers[-1] - numbers[0] != _PATTERNS - 1:
        raise ValueError("papers whose numbers are not in a row cannot be patterns")
    return numbers[0]


def _first_free(connection: Connection) -> int:
    asked = "SELECT max((SELECT max(id) FROM citizen), (SELECT max(id) FROM entry))"
    if connection.dialect.name == "postgresql":
        asked = asked.replace("SELECT max((", "SELECT greatest((", 1)
    return int(connection.execute(text(asked)).scalar_one()) + 1


def _statements(words: _Words) -> list[str]:
    """The copying in the order of what hangs on what."""
    cities = units.load_regions().cities
    places = ", ".join(f"({at}, '{city.code}', '{city.counties[0].code}')"
                       for at, city in enumerate(cities))  # fmt: skip
    # Every instant is one of the last day's, each player's own.
    now = "(SELECT changed_at FROM standing WHERE entry_id ="
    now += " (SELECT entry_id FROM attempt WHERE id = :pattern) LIMIT 1)"
    head = f"{words.series}places(at, city, county) AS (VALUES {places}) "
    person = f"FROM g JOIN places p ON p.at = g.n % {len(cities)}"
    paper = f"FROM g JOIN attempt t ON t.id = :pattern + g.n % {_PATTERNS}"
    time_ms = "20000 + (g.n * 7919) % 1980001"

    def copy(table: str, columns: str, values: str, source: str = "FROM g") -> str:
        return f"INSERT INTO {table} ({columns}) {head}SELECT {values} {source}"

    def standing(period: str) -> str:
        return copy(
            "standing",
            "contest_id, entry_id, period, points, time_ms, reached_at, version, changed_at",
            f":contest, a.entry_id, {period}, a.score, a.duration_ms, a.closed_at, 1, a.closed_at",
            "FROM attempt a JOIN g ON g.n = a.entry_id",
        )

    later = words.instant.format(f"{_epoch(words, now)} + 2592000")
    reached = words.instant.format(f"{_epoch(words, now)} - 100 - (g.n * 104729) % {_SPREAD}")
    return [
        copy("citizen", "id, ref, nickname, nickname_state, city, county, language, elder_mode,"
             " public_rank, topics, created_at",
             "g.n, 'cit_g' || g.n, '王' || g.n || '号', 'shown', p.city, p.county, 'zh', false,"
             f" g.n % 3 = 0, {words.empty_list}, {now}", person),
        copy("identity", "app, openid, citizen_id, made_at",
             f"'mini_program', 'og' || g.n, g.n, {now}"),
        copy("session_token", "token_hash, citizen_id, made_at, expires_at",
             f"'growth-' || g.n, g.n, {now}, {later}"),
        copy("consent", "ref, citizen_id, policy_version, guardian, under_14, given_at",
             f"'con_g' || g.n, g.n, :policy, false, false, {now}"),
        copy("entry", "id, contest_id, citizen_id, city, county, left_scopes",
             f"g.n, :contest, g.n, p.city, p.county, {words.empty_list}", person),
        copy("attempt", "ref, contest_id, entry_id, citizen_id, on_day, on_week, try_no, day_limit,"
             " started_at, deadline_at, state, rules_version, paper, answers, score, correct_count,"
             " duration_ms, closed_at, rank_region, rank_city, tally",
             "'att_g' || g.n, :contest, g.n, g.n, t.on_day, t.on_week, 1, t.day_limit,"
             " t.started_at, t.deadline_at, t.state, t.rules_version, t.paper, t.answers, t.score,"
             f" t.correct_count, {time_ms}, {reached}, t.rank_region, t.rank_city,"
             f" {Tally.COUNTED:d}", paper),
        standing("'total'"),
        standing("'day:' || a.on_day"),
        standing("'week:' || a.on_week"),
        copy("participation", "citizen_id, kind, source_ref, city, county, on_day",
             "a.citizen_id, 'paper', a.ref, p.city, p.county, a.on_day",
             f"{person} JOIN attempt a ON a.entry_id = g.n"),
        # Inspected already, as they are counted: a sweep is measured that finds nothing to do.
        f"INSERT INTO integrity_mark (contest_id, inspected_until) VALUES (:contest, {now})",
    ]  # fmt: skip


def _epoch(words: _Words, instant: str) -> str:
    if words.instant.startswith("to_timestamp"):
        return f"extract(epoch FROM {instant})"
    return f"CAST(strftime('%s', {instant}) AS integer)"
