"""The contest of peer (c): start, answers and submission by statements."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import msgspec

from tests.bench.peers import boards, rules
from tests.bench.peers.boards import Place
from tests.bench.peers.bound_drivers import Driver, Redis
from tests.bench.peers.bound_sql import Statements
from tests.bench.peers.rules import Bank, Known, Played, Refused, Rules, Slot

PREFIX = "bound"
Given = Mapping[str, Sequence[str]]
Execute = Callable[..., Any]
# What is told, its status, and what follows the commit.
Done = tuple[Any, int, Callable[[], Any] | None]


@dataclass(frozen=True)
class Act:
    """What one request does in its transaction, and the limit that it counts against."""

    run: Callable[[Execute, Any], Done]
    limit: str
    consent: bool = False


class Held(NamedTuple):
    """A locked paper as its statement gives it."""

    id: int
    contest_id: int
    entry_id: int
    on_day: Any
    on_week: str
    started_at: Any
    deadline_at: Any
    state: str
    version: str
    paper: Any
    answers: Any
    score: int | None
    right: int | None
    duration_ms: int | None
    closed_at: Any
    region: int | None
    in_city: int | None
    city: str | None
    county: str | None
    unit_id: int | None
    contest: str
    programme: str | None
    bank: str
    revision: str


class Quiz:
    """The contest over one driver and Redis."""

    def __init__(self, database: Driver, redis: Redis, policy: str) -> None:
        self.database, self.redis, self._policy = database, redis, policy
        self.sql = Statements.of(database)
        self._known = Known()

    def starting(self, name: str) -> Act:
        """Begin a paper in a contest."""
        return Act(partial(self._start, name), "repeat", consent=True)

    def saving(self, ref: str, given: Given) -> Act:
        """Keep answers of a paper."""
        return Act(partial(self._save, ref, given), "answers")

    def submitting(self, ref: str, given: Given) -> Act:
        """Hand a paper in."""
        return Act(partial(self._submit, ref, given), "repeat")

    def take(self, citizen_id: int, *limits: str) -> None:
        """Let one call of a citizen through.

        Raises: Refused (429).
        """
        if self.redis.run(boards.TAKE, *boards.take_arguments(citizen_id, *limits)):
            raise Refused(429, "too_many_requests")

    def caller(self, execute: Execute, token: str, now: Any, *, consent: bool = False) -> Any:
        """The citizen behind a token, held where a paper may be begun.

        Raises: Refused (401, 409).
        """
        asked = self.sql.held_caller if consent else self.sql.caller
        row = execute(asked, {"token": token, "now": now}).fetchone()
        if row is None:
            raise Refused(401, "not_authenticated")
        if consent and row[5] != self._policy:
            raise Refused(409, "consent_required")
        return row

    def _bank(self, execute: Execute, slug: str, revision: str) -> Bank:
        found = self._known.banks.get(revision)
        if found is None:
            read = self.database.document
            rows = execute(self.sql.questions, {"bank": slug}).fetchall()
            found = self._known.banks[revision] = rules.bank_from(
                (rules.Question(*row[:5], read(row[5]), read(row[6]), row[7]), row[8])
                for row in rows
            )
        return found

    def _rules(self, execute: Execute, contest_id: int, version: str) -> Rules:
        found = self._known.rules.get(version)
        if found is None:
            which = {"contest_id": contest_id, "version": version}
            body = self.database.document(execute(self.sql.rules, which).fetchone()[0])
            found = self._known.rules[version] = rules.rules_from(version, body)
        return found

    # Start

    def _start(self, name: str, execute: Execute, citizen: Any) -> Done:
        contest = execute(self.sql.contest, {"name": name}).fetchone()
        if contest is None:
            raise Refused(404, "not_found")
        contest_id, ref, slug, opens_at, closes_at, revision, version = contest
        read, now = self.database, rules.now()
        bank = self._bank(execute, slug, revision)
        which = {"contest_id": contest_id, "citizen_id": citizen[0]}
        past = execute(self.sql.past, which).fetchall()
        if past and (told := self._going_on(execute, contest_id, ref, bank, past)):
            self.take(citizen[0], "repeat")
            return told, 200, None
        its_rules = self._rules(execute, contest_id, version)
        if now < read.instant(opens_at):
            raise Refused(409, "contest_not_open")
        if now >= read.instant(closes_at) + rules.LATE_START:
            raise Refused(409, "contest_closed")
        try_no = self._free_try(its_rules, past, now)
        self.take(citizen[0], "repeat", "start")
        slots = self._dealt(execute, contest_id, bank, its_rules, past)
        row = self._add(execute, contest_id, citizen, its_rules, (slots, now, try_no))
        times = (now, now + timedelta(seconds=its_rules.seconds))
        return _paper_out(row, ref, its_rules, slots, times), 201, None

    def _going_on(
        self, execute: Execute, contest_id: int, contest: str, bank: Bank, past: Sequence[Any]
    ) -> dict[str, Any] | None:
        """The open paper, while its time is not up."""
        current = next((row for row in past if row[1] == "open"), None)
        if current is None:
            return None
        read = self.database
        times = (read.instant(current[4]), read.instant(current[5]))
        if rules.now() > times[1] + rules.GRACE:
            return None
        its_rules = self._rules(execute, contest_id, current[6])
        slots = rules.slots_of(read.document(current[7]), bank)
        answers = read.document(current[8])
        return _paper_out(current[0], contest, its_rules, slots, times, answers)

    def _free_try(self, its_rules: Rules, past: Sequence[Any], now: datetime) -> int:
        if any(row[1] == "open" for row in past):
            raise Refused(409, "no_attempts_left")
        today = self.database.stored_day(rules.beijing_day(now))
        used = {row[3] for row in past if row[2] == today}
        if len(used) >= its_rules.papers_per_day:
            raise Refused(409, "no_attempts_left")
        return min(set(range(1, its_rules.papers_per_day + 1)) - used)

    def _dealt(
        self, execute: Execute, contest_id: int, bank: Bank, its_rules: Rules, past: Sequence[Any]
    ) -> list[Slot]:
        which = {"contest_id": contest_id, "shard": random.randrange(rules.SHARDS)}
        deck = execute(self.sql.deck, which).fetchone()
        if deck is None:
            execute(self.sql.new_deck, which)
            deck = execute(self.sql.deck, which).fetchone()
        read = self.database.document
        counts = read(deck[1])
        seen = {bank.by_id[one["q"]].ref for row in past for one in read(row[7])}
        slots = rules.deal(bank, its_rules, seen, counts)
        for slot in slots:
            counts[slot.question.ref] = counts.get(slot.question.ref, 0) + 1
        execute(self.sql.keep_deck, {"id": deck[0], "counts": _json(counts)})
        return slots

    def _add(
        self, execute: Execute, contest_id: int, citizen: Any, its_rules: Rules,
        paper: tuple[Sequence[Slot], datetime, int],
    ) -> str:  # fmt: skip
        (slots, now, try_no), write = paper, self.database
        (entry_id,) = execute(
            self.sql.new_entry,
            {"contest_id": contest_id, "citizen_id": citizen[0], "city": citizen[1],
             "county": citizen[2], "unit_id": citizen[3], "audience": citizen[4]},
        ).fetchone()  # fmt: skip
        day, ref = rules.beijing_day(now), rules.new_ref("att")
        execute(
            self.sql.new_attempt,
            {"ref": ref, "contest_id": contest_id, "entry_id": entry_id, "citizen_id": citizen[0],
             "on_day": write.stored_day(day), "on_week": rules.iso_week(day), "try_no": try_no,
             "day_limit": its_rules.papers_per_day, "started_at": write.stored_instant(now),
             "deadline_at": write.stored_instant(now + timedelta(seconds=its_rules.seconds)),
             "version": its_rules.version, "paper": _json(rules.stored(slots))},
        )  # fmt: skip
        return ref

    # Answers and submission

    def _held(self, execute: Execute, citizen: Any, ref: str) -> Held:
        row = execute(self.sql.held_attempt, {"ref": ref, "citizen_id": citizen[0]}).fetchone()
        if row is None:
            raise Refused(404, "not_found")
        read, held = self.database, Held._make(row)
        return held._replace(
            paper=read.document(held.paper), answers=read.document(held.answers),
            started_at=read.instant(held.started_at), deadline_at=read.instant(held.deadline_at),
            closed_at=read.instant(held.closed_at), on_day=read.day(held.on_day),
        )  # fmt: skip

    def _save(self, ref: str, given: Given, execute: Execute, citizen: Any) -> Done:
        self.take(citizen[0], "answers")
        held = self._held(execute, citizen, ref)
        if held.state != "open" or rules.now() > held.deadline_at + rules.GRACE:
            raise Refused(409, "attempt_closed")
        slots = rules.slots_of(held.paper, self._bank(execute, held.bank, held.revision))
        answers = rules.merged(slots, held.answers, given)
        if answers != held.answers:
            execute(self.sql.keep_answers, {"id": held.id, "answers": _json(answers)})
        return None, 204, None

    def _submit(self, ref: str, given: Given, execute: Execute, citizen: Any) -> Done:
        held = self._held(execute, citizen, ref)
        bank = self._bank(execute, held.bank, held.revision)
        its_rules = self._rules(execute, held.contest_id, held.version)
        slots = rules.slots_of(held.paper, bank)
        read = self.database
        played = [
            Played(row[0], read.day(row[1]), row[2], row[3], row[4], read.instant(row[5]))
            for row in execute(self.sql.played, {"entry_id": held.entry_id}).fetchall()
        ]
        if held.state != "open":
            self.take(citizen[0], "repeat")
            until = (held.closed_at, held.id)
            best = max(one.score for one in played if (one.closed_at, one.id) <= until)
            return _result_out(held, ref, its_rules, slots, best), 200, None
        self.take(citizen[0], "repeat", "answers")
        closed, after = self._close(execute, held, its_rules, slots, (given, played))
        place = {"city": held.city, "county": held.county, "unit_id": held.unit_id}
        fact = {"citizen_id": citizen[0], "ref": ref, "programme": held.programme,
                "day": read.stored_day(held.on_day)}  # fmt: skip
        execute(self.sql.took_part, {**place, **fact})
        best = max([closed.score or 0, *(one.score for one in played)])
        return _result_out(closed, ref, its_rules, slots, best), 200, after

    def _close(
        self, execute: Execute, held: Held, its_rules: Rules, slots: Sequence[Slot],
        known: tuple[Given, list[Played]],
    ) -> tuple[Held, Callable[[], Any]]:  # fmt: skip
        (given, played), now = known, rules.now()
        late = now > held.deadline_at + rules.GRACE
        answers = held.answers if late else rules.merged(slots, held.answers, given)
        right = rules.correct_count(slots, answers)
        closed_at = held.deadline_at if late else now
        used = rules.milliseconds(min(closed_at, held.deadline_at) - held.started_at)
        closed = held._replace(
            state="expired" if late else "submitted", answers=answers, right=right,
            score=right * its_rules.points, duration_ms=used, closed_at=closed_at,
        )  # fmt: skip
        mine = Played(held.id, held.on_day, held.on_week, right * its_rules.points, used, closed_at)
        moved = self._counted(execute, held, [*played, mine], now)
        region, in_city = self._ranks(execute, held, moved["total"][0])
        closed = closed._replace(region=region, in_city=in_city)
        row = closed._asdict() | {"closed_at": self.database.stored_instant(closed_at),
                                  "answers": _json(answers)}  # fmt: skip
        if execute(self.sql.close, row).rowcount != 1:
            raise Refused(503, "unavailable")
        place = Place(held.city, held.county)
        which = (PREFIX, held.contest_id, place, held.entry_id, moved)
        return closed, lambda: self.redis.run(boards.APPLY, *boards.apply_arguments(*which))

    def _counted(
        self, execute: Execute, held: Held, played: Sequence[Played], now: datetime
    ) -> dict[str, tuple[rules.Stand, int]]:
        stands = rules.standings(played, played[-1])
        write = self.database.stored_instant
        values: dict[str, Any] = {"contest_id": held.contest_id, "entry_id": held.entry_id,
                                  "now": write(now)}  # fmt: skip
        for at, (period, stand) in enumerate(stands.items()):
            values[f"period{at}"], values[f"points{at}"] = period, stand.points
            values[f"time{at}"], values[f"reached{at}"] = stand.time_ms, write(stand.reached_at)
        written = execute(self.sql.stand, values).fetchall()
        return {period: (stands[period], version) for period, version in written}

    def _ranks(
        self, execute: Execute, held: Held, stand: rules.Stand
    ) -> tuple[int, int | None]:  # fmt: skip
        found = self.redis.run(
            boards.AHEAD,
            *boards.ahead_arguments(PREFIX, held.contest_id, held.city, stand, held.entry_id),
        )
        facts = {"contest_id": held.contest_id, "city": held.city, "entry_id": held.entry_id,
                 "points": stand.points, "time_ms": stand.time_ms,
                 "reached_at": self.database.stored_instant(stand.reached_at)}  # fmt: skip
        if -1 in found:
            region, city = execute(self.sql.ahead, facts).fetchone()
        else:
            region, city = found[0], found[-2]
            if found[1]:
                # Only the database knows who was earlier with the very same result.
                ties = execute(self.sql.ties_ahead, facts).fetchone()
                region, city = region + ties[0], city + ties[1]
        return region + 1, None if held.city is None else city + 1


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _paper_out(
    ref: str, contest: str, its_rules: Rules, slots: Sequence[Slot],
    times: tuple[Any, Any], answers: Mapping[str, Sequence[int]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    started_at, deadline_at = times
    return {
        "id": ref,
        "contest_id": contest,
        "state": "open",
        "rules_version": its_rules.version,
        "timer": "paper",
        "started_at": started_at,
        "deadline": deadline_at,
        "remaining_ms": rules.milliseconds(deadline_at - rules.now()),
        "question_count": its_rules.question_count,
        "questions": rules.shown_questions(slots),
        "answers": rules.shown_answers(slots, answers or {}),
    }


def _result_out(
    held: Held, ref: str, its_rules: Rules, slots: Sequence[Slot], best: int
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": ref,
        "contest_id": held.contest,
        "state": held.state,
        "question_count": its_rules.question_count,
        "closed_at": held.closed_at,
        "score": held.score,
        "max_score": its_rules.max_score,
        "correct_count": held.right,
        "duration_ms": held.duration_ms,
        "personal_best": best,
        "ranks": {"region": held.region, "city": held.in_city},
        "review": rules.review(slots, held.answers),
    }
