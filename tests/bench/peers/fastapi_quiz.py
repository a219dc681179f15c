"""The contest of peer (b), with SQLAlchemy Core on one connection: start, answers, submission."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from redis import asyncio as redis
from sqlalchemy import and_, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.bench.peers import boards, rules
from tests.bench.peers.boards import Place
from tests.bench.peers.fastapi_shapes import AttemptOut, ResultOut
from tests.bench.peers.rules import Bank, Known, Played, Refused, Rules, Slot, Stand
from tests.bench.peers.tables import (
    Attempt,
    Citizen,
    Contest,
    Deck,
    Entry,
    Participation,
    Question,
    RuleSet,
    Standing,
)
from tests.bench.peers.tables import (
    Bank as BankRow,
)

PREFIX = "fastapi"
Given = Mapping[str, Sequence[str]]
attempts, banks, citizens, contests = (m.__table__ for m in (Attempt, BankRow, Citizen, Contest))
decks, entries, questions, rule_sets = (m.__table__ for m in (Deck, Entry, Question, RuleSet))
participations, standings = Participation.__table__, Standing.__table__
in_force = (
    select(rule_sets.c.version)
    .where(rule_sets.c.contest_id == contests.c.id)
    .order_by(rule_sets.c.valid_from.desc(), rule_sets.c.id.desc())
    .limit(1)
    .correlate(contests)
    .scalar_subquery()
    .label("version")
)


class Quiz:
    """The contest's service; Redis has a pool of its own."""

    def __init__(self, redis_url: str, dialect: str) -> None:
        self.insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
        self.redis = redis.Redis.from_url(redis_url)
        self._apply, self._ahead, self._take = (
            self.redis.register_script(script)
            for script in (boards.APPLY, boards.AHEAD, boards.TAKE)
        )
        self._known = Known()

    async def take(self, citizen_id: int, limit: str) -> None:
        """Let one call of a citizen through.

        Raises: Refused (429).
        """
        if await self._take(*boards.take_arguments(citizen_id, limit)):
            raise Refused(429, "too_many_requests")

    async def _bank(self, connection: AsyncConnection, slug: str, revision: str) -> Bank:
        found = self._known.banks.get(revision)
        if found is None:
            c = questions.c
            rows = await connection.execute(
                select(c.id, c.ref, c.kind, c.topic, c.stem, c.options, c.answer, c.explanation,
                       c.state).where(c.bank == slug)
            )  # fmt: skip
            found = rules.bank_from((rules.Question(*facts), state) for *facts, state in rows)
            self._known.banks[revision] = found
        return found

    async def _rules(self, connection: AsyncConnection, contest_id: int, version: str) -> Rules:
        found = self._known.rules.get(version)
        if found is None:
            body = await connection.scalar(
                select(rule_sets.c.body).where(
                    rule_sets.c.contest_id == contest_id, rule_sets.c.version == version
                )
            )
            found = self._known.rules[version] = rules.rules_from(version, body)
        return found

    async def contest(self, connection: AsyncConnection, name: str) -> Any:
        """A contest with its bank's state and the version of the rules in force.

        Raises: Refused (404).
        """
        asked = (
            select(
                contests.c.id, contests.c.ref, contests.c.bank, contests.c.opens_at,
                contests.c.closes_at, banks.c.revision, in_force,
            )
            .join(banks, banks.c.slug == contests.c.bank)
            .where(or_(contests.c.ref == name, contests.c.slug == name))
        )  # fmt: skip
        found = (await connection.execute(asked)).one_or_none()
        if found is None:
            raise Refused(404, "not_found")
        return found

    async def start(
        self, connection: AsyncConnection, citizen_id: int, name: str
    ) -> tuple[AttemptOut, int, None]:
        """Begin a paper, or go on with the one that is open."""
        contest = await self.contest(connection, name)
        c = citizens.c
        held = select(c.id, c.city, c.county, c.unit_id, c.audience).where(c.id == citizen_id)
        citizen = (await connection.execute(held.with_for_update())).one()
        past = (
            await connection.execute(
                select(attempts)
                .where(attempts.c.contest_id == contest.id, attempts.c.citizen_id == citizen_id)
                .order_by(attempts.c.started_at)
            )
        ).all()
        now = rules.now()
        bank = await self._bank(connection, contest.bank, contest.revision)
        current = next((one for one in past if one.state == "open"), None)
        if current is not None and now <= current.deadline_at + rules.GRACE:
            its_rules = await self._rules(connection, contest.id, current.rules_version)
            slots = rules.slots_of(current.paper, bank)
            return _paper_out(contest, current._mapping, its_rules, slots, now), 200, None
        its_rules = await self._rules(connection, contest.id, contest.version)
        try_no = _free_try(contest, its_rules, past, now)
        await self.take(citizen_id, "start")
        slots = await self._dealt(connection, contest.id, bank, its_rules, past)
        row = await self._add(connection, citizen, contest, its_rules, slots, (now, try_no))
        return _paper_out(contest, row, its_rules, slots, now), 201, None

    async def _dealt(
        self, connection: AsyncConnection, contest_id: int, bank: Bank, its_rules: Rules,
        past: Sequence[Any],
    ) -> list[Slot]:  # fmt: skip
        shard = random.randrange(rules.SHARDS)
        asked = (
            select(decks.c.id, decks.c.counts)
            .where(decks.c.contest_id == contest_id, decks.c.shard == shard)
            .with_for_update()
        )
        deck = (await connection.execute(asked)).one_or_none()
        if deck is None:
            await connection.execute(
                self.insert(decks)
                .values(contest_id=contest_id, shard=shard, counts={})
                .on_conflict_do_nothing(index_elements=["contest_id", "shard"])
            )
            deck = (await connection.execute(asked)).one()
        seen = {bank.by_id[row["q"]].ref for one in past for row in one.paper}
        counts = dict(deck.counts)
        slots = rules.deal(bank, its_rules, seen, counts)
        for slot in slots:
            counts[slot.question.ref] = counts.get(slot.question.ref, 0) + 1
        await connection.execute(update(decks).where(decks.c.id == deck.id).values(counts=counts))
        return slots

    async def _add(
        self, connection: AsyncConnection, citizen: Any, contest: Any, its_rules: Rules,
        slots: Sequence[Slot], when: tuple[datetime, int],
    ) -> dict[str, Any]:  # fmt: skip
        entry_id = await connection.scalar(
            self.insert(entries)
            .values(
                contest_id=contest.id, citizen_id=citizen.id, city=citizen.city,
                county=citizen.county, unit_id=citizen.unit_id, audience=citizen.audience,
                left_scopes=[],
            )
            .on_conflict_do_update(
                index_elements=["contest_id", "citizen_id"], set_={"citizen_id": citizen.id}
            )
            .returning(entries.c.id)
        )  # fmt: skip
        now, try_no = when
        day = rules.beijing_day(now)
        row = {
            "ref": rules.new_ref("att"), "contest_id": contest.id, "entry_id": entry_id,
            "citizen_id": citizen.id, "on_day": day, "on_week": rules.iso_week(day),
            "try_no": try_no, "day_limit": its_rules.papers_per_day, "started_at": now,
            "deadline_at": now + timedelta(seconds=its_rules.seconds), "state": "open",
            "rules_version": its_rules.version, "paper": rules.stored(slots), "answers": {},
        }  # fmt: skip
        await connection.execute(insert(attempts).values(row))
        return row

    async def _locked(self, connection: AsyncConnection, citizen_id: int, ref: str) -> Any:
        asked = (
            select(
                attempts, entries.c.city, entries.c.county, entries.c.unit_id,
                contests.c.ref.label("contest_ref"), contests.c.programme_slug, contests.c.bank,
                banks.c.revision,
            )
            .join(entries, entries.c.id == attempts.c.entry_id)
            .join(contests, contests.c.id == attempts.c.contest_id)
            .join(banks, banks.c.slug == contests.c.bank)
            .where(attempts.c.ref == ref, attempts.c.citizen_id == citizen_id)
            .with_for_update(of=[entries, attempts])
        )  # fmt: skip
        found = (await connection.execute(asked)).one_or_none()
        if found is None:
            raise Refused(404, "not_found")
        return found

    async def save(
        self, connection: AsyncConnection, citizen_id: int, ref: str, given: Given
    ) -> tuple[None, int, None]:
        """Keep answers of an open paper."""
        attempt = await self._locked(connection, citizen_id, ref)
        if attempt.state != "open" or rules.now() > attempt.deadline_at + rules.GRACE:
            raise Refused(409, "attempt_closed")
        bank = await self._bank(connection, attempt.bank, attempt.revision)
        slots = rules.slots_of(attempt.paper, bank)
        answers = rules.merged(slots, attempt.answers, given)
        if answers != attempt.answers:
            await connection.execute(
                update(attempts).where(attempts.c.id == attempt.id).values(answers=answers)
            )
        return None, 204, None

    async def submit(
        self, connection: AsyncConnection, citizen_id: int, ref: str, given: Given
    ) -> tuple[ResultOut, int, Any]:
        """Hand a paper in; once it is closed the same result is told again."""
        attempt = await self._locked(connection, citizen_id, ref)
        bank = await self._bank(connection, attempt.bank, attempt.revision)
        its_rules = await self._rules(connection, attempt.contest_id, attempt.rules_version)
        slots = rules.slots_of(attempt.paper, bank)
        c = attempts.c
        asked = select(c.id, c.on_day, c.on_week, c.score, c.duration_ms, c.closed_at).where(
            c.entry_id == attempt.entry_id, c.state != "open"
        )
        played = [Played(*row) for row in await connection.execute(asked)]
        if attempt.state != "open":
            best = max(p.score for p in played if (p.closed_at, p.id)
                       <= (attempt.closed_at, attempt.id))  # fmt: skip
            return _result_out(attempt, attempt._mapping, its_rules, slots, best), 200, None
        await self.take(citizen_id, "answers")
        closed, after = await self._close(connection, attempt, its_rules, slots, (given, played))
        best = max([closed["score"], *(one.score for one in played)])
        return _result_out(attempt, closed, its_rules, slots, best), 200, after

    async def _close(
        self, connection: AsyncConnection, attempt: Any, its_rules: Rules, slots: Sequence[Slot],
        known: tuple[Given, list[Played]],
    ) -> tuple[dict[str, Any], Any]:  # fmt: skip
        (given, played), now = known, rules.now()
        late = now > attempt.deadline_at + rules.GRACE
        answers = attempt.answers if late else rules.merged(slots, attempt.answers, given)
        right = rules.correct_count(slots, answers)
        closed_at = attempt.deadline_at if late else now
        used = min(closed_at, attempt.deadline_at) - attempt.started_at
        mine = Played(
            attempt.id, attempt.on_day, attempt.on_week, right * its_rules.points,
            rules.milliseconds(used), closed_at,
        )  # fmt: skip
        moved = await self._counted(connection, attempt, [*played, mine], now)
        region, city = await self._ranks(connection, attempt, moved["total"][0])
        closed = {
            "state": "expired" if late else "submitted", "answers": answers, "score": mine.score,
            "correct_count": right, "duration_ms": mine.time_ms, "closed_at": closed_at,
            "rank_region": region, "rank_city": city,
        }  # fmt: skip
        done = await connection.execute(
            update(attempts)
            .where(attempts.c.id == attempt.id, attempts.c.state == "open")
            .values(closed)
        )
        if done.rowcount != 1:
            raise Refused(503, "unavailable")
        took_part = {
            "citizen_id": attempt.citizen_id, "kind": "paper", "source_ref": attempt.ref,
            "programme": attempt.programme_slug, "city": attempt.city, "county": attempt.county,
            "unit_id": attempt.unit_id, "on_day": attempt.on_day,
        }  # fmt: skip
        await connection.execute(insert(participations).values(took_part))
        place = Place(attempt.city, attempt.county)
        which = (PREFIX, attempt.contest_id, place, attempt.entry_id, moved)
        return closed, lambda: self._apply(*boards.apply_arguments(*which))

    async def _counted(
        self, connection: AsyncConnection, attempt: Any, played: Sequence[Played], now: datetime
    ) -> dict[str, tuple[Stand, int]]:
        stands = rules.standings(played, played[-1])
        fresh = self.insert(standings)
        told = {name: fresh.excluded[name] for name in (*Stand._fields, "changed_at")}
        written = await connection.execute(
            fresh.on_conflict_do_update(
                index_elements=["entry_id", "period"],
                set_={"version": standings.c.version + 1, **told},
            ).returning(standings.c.period, standings.c.version),
            [
                {"contest_id": attempt.contest_id, "entry_id": attempt.entry_id, "period": period,
                 "version": 1, "changed_at": now, **stand._asdict()}
                for period, stand in stands.items()
            ],
        )  # fmt: skip
        return {period: (stands[period], version) for period, version in written}

    async def _ranks(
        self, connection: AsyncConnection, attempt: Any, stand: Stand
    ) -> tuple[int, int | None]:
        found = await self._ahead(
            *boards.ahead_arguments(
                PREFIX, attempt.contest_id, attempt.city, stand, attempt.entry_id
            )
        )
        if -1 in found:
            region, city = await _ahead_in_database(connection, attempt, stand, ties=False)
        else:
            region, city = found[0], found[-2]
            if found[1]:
                # Only the database knows who was earlier with the very same result.
                ties = await _ahead_in_database(connection, attempt, stand, ties=True)
                region, city = region + ties[0], city + ties[1]
        return region + 1, None if attempt.city is None else city + 1


async def _ahead_in_database(
    connection: AsyncConnection, attempt: Any, stand: Stand, *, ties: bool
) -> tuple[int, int]:
    c = standings.c
    same = and_(c.points == stand.points, c.time_ms == stand.time_ms)
    earlier = tuple_(c.reached_at, c.entry_id) < tuple_(stand.reached_at, attempt.entry_id)
    better = or_(
        c.points > stand.points, and_(c.points == stand.points, c.time_ms < stand.time_ms)
    )  # fmt: skip
    asked = (
        select(func.count(), func.count().filter(entries.c.city == attempt.city))
        .select_from(standings)
        .join(entries, entries.c.id == c.entry_id)
        .where(
            c.contest_id == attempt.contest_id, c.period == "total",
            and_(same, earlier) if ties else or_(better, and_(same, earlier)),
        )
    )  # fmt: skip
    row = (await connection.execute(asked)).one()
    return row[0], row[1]


def _free_try(contest: Any, its_rules: Rules, past: Sequence[Any], now: datetime) -> int:
    if now < contest.opens_at:
        raise Refused(409, "contest_not_open")
    if now >= contest.closes_at + rules.LATE_START:
        raise Refused(409, "contest_closed")
    today = rules.beijing_day(now)
    used = {one.try_no for one in past if one.on_day == today}
    if len(used) >= its_rules.papers_per_day or any(one.state == "open" for one in past):
        raise Refused(409, "no_attempts_left")
    return min(set(range(1, its_rules.papers_per_day + 1)) - used)


def _paper_out(
    contest: Any, row: Mapping[str, Any], its_rules: Rules, slots: Sequence[Slot], now: datetime
) -> AttemptOut:
    return AttemptOut(
        id=row["ref"], contest_id=contest.ref, state=row["state"],
        rules_version=its_rules.version, timer="paper", started_at=row["started_at"],
        deadline=row["deadline_at"], remaining_ms=rules.milliseconds(row["deadline_at"] - now),
        question_count=its_rules.question_count, questions=rules.shown_questions(slots),
        answers=rules.shown_answers(slots, row["answers"]),
    )  # fmt: skip


def _result_out(
    attempt: Any, closed: Mapping[str, Any], its_rules: Rules, slots: Sequence[Slot], best: int
) -> ResultOut:
    return ResultOut(
        id=attempt.ref, contest_id=attempt.contest_ref, state=closed["state"],
        question_count=its_rules.question_count, closed_at=closed["closed_at"],
        score=closed["score"], max_score=its_rules.max_score,
        correct_count=closed["correct_count"], duration_ms=closed["duration_ms"],
        personal_best=best, ranks={"region": closed["rank_region"], "city": closed["rank_city"]},
        review=rules.review(slots, closed["answers"]),
    )  # fmt: skip
