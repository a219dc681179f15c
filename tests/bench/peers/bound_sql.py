"""The statements of peer (c).  Units: `:name` stands for a value in both drivers' texts."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from tests.bench.peers.bound_drivers import Driver

_VERSION = (
    "(SELECT r.version FROM rule_set r WHERE r.contest_id = k.id"
    " ORDER BY r.valid_from DESC, r.id DESC LIMIT 1)"
)
_CALLER = (
    "SELECT c.id, c.city, c.county, c.unit_id, c.audience,"
    " (SELECT s.policy_version FROM consent s WHERE s.citizen_id = c.id"
    " ORDER BY s.given_at DESC, s.id DESC LIMIT 1)"
    " FROM session_token t JOIN citizen c ON c.id = t.citizen_id WHERE t.token_hash = :token"
    " AND t.revoked_at IS NULL AND t.expires_at > :now AND c.erased_at IS NULL"
    " AND c.merged_into IS NULL"
)
_STANDING = "(:contest_id, :entry_id, :period{0}, :points{0}, :time{0}, :reached{0}, 1, :now)"
_BETTER = (
    "(s.points > :points OR (s.points = :points AND (s.time_ms < :time_ms OR (s.time_ms = :time_ms"
    " AND (s.reached_at, s.entry_id) < (:reached_at, :entry_id)))))"
)
_TIES = (
    "(s.points = :points AND s.time_ms = :time_ms"
    " AND (s.reached_at, s.entry_id) < (:reached_at, :entry_id))"
)
_COUNTS = (
    "SELECT count(*), count(*) FILTER (WHERE e.city = :city) FROM standing s"
    " JOIN entry e ON e.id = s.entry_id"
    " WHERE s.contest_id = :contest_id AND s.period = 'total' AND "
)
_NEW_ATTEMPT = (
    "INSERT INTO attempt (ref, contest_id, entry_id, citizen_id, on_day, on_week, try_no,"
    " day_limit, started_at, deadline_at, state, rules_version, paper, answers)"
    " VALUES (:ref, :contest_id, :entry_id, :citizen_id, :on_day, :on_week, :try_no, :day_limit,"
    " :started_at, :deadline_at, 'open', :version, :paper::json, '{}')"
)


@dataclass(frozen=True)
class Statements:
    """Every statement by its name."""

    caller: str = _CALLER
    held_caller: str = f"{_CALLER} FOR UPDATE OF c"
    claim: str = (
        "INSERT INTO kept_answer (caller, key, fingerprint, claimed_at)"
        " VALUES (:caller, :key, :mark, :now) ON CONFLICT (caller, key) DO NOTHING"
    )
    known: str = (
        "SELECT fingerprint, status, body FROM kept_answer WHERE caller = :caller AND key = :key"
    )
    keep: str = (
        "UPDATE kept_answer SET status = :status, body = :body"
        " WHERE caller = :caller AND key = :key"
    )
    contest: str = (
        "SELECT k.id, k.ref, k.bank, k.opens_at, k.closes_at, b.revision,"
        f" {_VERSION} FROM contest k JOIN bank b ON b.slug = k.bank"
        " WHERE k.ref = :name OR k.slug = :name"
    )
    contest_and_entry: str = (
        "SELECT k.id, k.closes_at, e.id FROM contest k"
        " LEFT JOIN entry e ON e.contest_id = k.id AND e.citizen_id = :citizen_id"
        " WHERE k.ref = :name OR k.slug = :name"
    )
    rules: str = "SELECT body FROM rule_set WHERE contest_id = :contest_id AND version = :version"
    questions: str = (
        "SELECT id, ref, kind, topic, stem, options, answer, explanation, state FROM question"
        " WHERE bank = :bank"
    )
    past: str = (
        "SELECT ref, state, on_day, try_no, started_at, deadline_at, rules_version, paper, answers"
        " FROM attempt WHERE contest_id = :contest_id AND citizen_id = :citizen_id"
        " ORDER BY started_at"
    )
    deck: str = (
        "SELECT id, counts FROM deck WHERE contest_id = :contest_id AND shard = :shard FOR UPDATE"
    )
    new_deck: str = (
        "INSERT INTO deck (contest_id, shard, counts) VALUES (:contest_id, :shard, '{}')"
        " ON CONFLICT (contest_id, shard) DO NOTHING"
    )
    keep_deck: str = "UPDATE deck SET counts = :counts::json WHERE id = :id"
    new_entry: str = (
        "INSERT INTO entry (contest_id, citizen_id, city, county, unit_id, audience, left_scopes)"
        " VALUES (:contest_id, :citizen_id, :city, :county, :unit_id, :audience, '[]')"
        " ON CONFLICT (contest_id, citizen_id) DO UPDATE SET citizen_id = excluded.citizen_id"
        " RETURNING id"
    )
    new_attempt: str = _NEW_ATTEMPT
    held_attempt: str = (
        "SELECT a.id, a.contest_id, a.entry_id, a.on_day, a.on_week, a.started_at, a.deadline_at,"
        " a.state, a.rules_version, a.paper, a.answers, a.score, a.correct_count, a.duration_ms,"
        " a.closed_at, a.rank_region, a.rank_city, e.city, e.county, e.unit_id, k.ref,"
        " k.programme_slug, k.bank, b.revision"
        " FROM attempt a JOIN entry e ON e.id = a.entry_id JOIN contest k ON k.id = a.contest_id"
        " JOIN bank b ON b.slug = k.bank WHERE a.ref = :ref AND a.citizen_id = :citizen_id"
        " FOR UPDATE OF e, a"
    )
    keep_answers: str = "UPDATE attempt SET answers = :answers::json WHERE id = :id"
    played: str = (
        "SELECT id, on_day, on_week, score, duration_ms, closed_at FROM attempt"
        " WHERE entry_id = :entry_id AND state != 'open'"
    )
    stand: str = (
        "INSERT INTO standing (contest_id, entry_id, period, points, time_ms, reached_at, version,"
        f" changed_at) VALUES {', '.join(_STANDING.format(at) for at in range(3))}"
        " ON CONFLICT (entry_id, period) DO UPDATE SET version = standing.version + 1,"
        " points = excluded.points, time_ms = excluded.time_ms, reached_at = excluded.reached_at,"
        " changed_at = excluded.changed_at RETURNING period, version"
    )
    ahead: str = _COUNTS + _BETTER
    ties_ahead: str = _COUNTS + _TIES
    close: str = (
        "UPDATE attempt SET state = :state, answers = :answers::json, score = :score,"
        " correct_count = :right, duration_ms = :duration_ms, closed_at = :closed_at,"
        " rank_region = :region, rank_city = :in_city WHERE id = :id AND state = 'open'"
    )
    took_part: str = (
        "INSERT INTO participation (citizen_id, kind, source_ref, programme, city, county, unit_id,"
        " on_day) VALUES (:citizen_id, 'paper', :ref, :programme, :city, :county, :unit_id, :day)"
    )
    standings: str = (
        "SELECT s.entry_id, s.points, s.time_ms, s.reached_at, s.version, e.city, e.county"
        " FROM standing s JOIN entry e ON e.id = s.entry_id"
        " WHERE s.contest_id = :contest_id AND s.period = 'total'"
    )
    names: str = (
        "SELECT e.id, e.city, c.ref, c.nickname, c.avatar_url, c.public_rank, c.under_14"
        " FROM entry e JOIN citizen c ON c.id = e.citizen_id WHERE e.id IN "
    )

    @classmethod
    def of(cls, driver: Driver) -> Self:
        """The statements as a driver takes them."""
        plain = cls()
        return cls(**{one.name: driver.text(getattr(plain, one.name)) for one in fields(cls)})
