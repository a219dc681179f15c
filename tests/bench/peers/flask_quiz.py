"""The contest of peer (a), with the ORM: start, answers, submission, board."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import redis
from sqlalchemy import and_, func, or_, select, tuple_, update
from sqlalchemy.orm import Session, contains_eager, joinedload

from tests.bench.peers import boards, rules
from tests.bench.peers.boards import Place
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

PREFIX = "flask"
Given = Mapping[str, Sequence[str]]


class Quiz:
    """The contest's service over one session at a time; Redis has a pool of its own."""

    def __init__(self, redis_url: str, insert: Any) -> None:
        self.insert = insert
        self._known = Known()
        self.redis = redis.Redis.from_url(redis_url)
        self._apply, self._ahead, self._take = (
            self.redis.register_script(script)
            for script in (boards.APPLY, boards.AHEAD, boards.TAKE)
        )

    def take(self, citizen_id: int, limit: str) -> None:
        """Let one call of a citizen through.

        Raises: Refused (429).
        """
        if self._take(*boards.take_arguments(citizen_id, limit)):
            raise Refused(429, "too_many_requests")

    # What is remembered of the database

    def _bank(self, session: Session, slug: str, revision: str) -> Bank:
        found = self._known.banks.get(revision)
        if found is None:
            rows = session.scalars(select(Question).where(Question.bank == slug))
            found = self._known.banks[revision] = rules.bank_from(
                (
                    rules.Question(q.id, q.ref, q.kind, q.topic, q.stem, q.options, q.answer,
                                   q.explanation), q.state,
                )
                for q in rows
            )  # fmt: skip
        return found

    def _rules(self, session: Session, contest_id: int, version: str) -> Rules:
        found = self._known.rules.get(version)
        if found is None:
            body = session.scalars(
                select(RuleSet.body).where(
                    RuleSet.contest_id == contest_id, RuleSet.version == version
                )
            ).one()
            found = self._known.rules[version] = rules.rules_from(version, body)
        return found

    def contest(self, session: Session, name: str) -> tuple[Contest, str]:
        """A contest with its bank, and the version of the rules in force."""
        version = (
            select(RuleSet.version)
            .where(RuleSet.contest_id == Contest.id)
            .order_by(RuleSet.valid_from.desc(), RuleSet.id.desc())
            .limit(1)
            .correlate(Contest)
            .scalar_subquery()
        )
        found = session.execute(
            select(Contest, version)
            .options(joinedload(Contest.pool))
            .where(or_(Contest.ref == name, Contest.slug == name))
        ).one_or_none()
        if found is None:
            raise Refused(404, "not_found")
        return found[0], found[1]

    # Start

    def start(self, session: Session, citizen: Citizen, name: str) -> tuple[Any, int]:
        """Begin a paper, or go on with the one that is open."""
        contest, version = self.contest(session, name)
        session.refresh(citizen, with_for_update=True)
        past = session.scalars(
            select(Attempt)
            .where(Attempt.contest_id == contest.id, Attempt.citizen_id == citizen.id)
            .order_by(Attempt.started_at)
        ).all()
        now = rules.now()
        bank = self._bank(session, contest.bank, contest.pool.revision)
        current = next((one for one in past if one.state == "open"), None)
        if current is not None and now <= current.deadline_at + rules.GRACE:
            its_rules = self._rules(session, contest.id, current.rules_version)
            slots = rules.slots_of(current.paper, bank)
            return self._paper_out(contest, current, its_rules, slots, now), 200
        its_rules = self._rules(session, contest.id, version)
        try_no = self._free_try(contest, its_rules, past, now)
        self.take(citizen.id, "start")
        slots = self._dealt(session, contest, bank, its_rules, past)
        attempt = self._new_attempt(session, citizen, contest, its_rules, slots, now)
        attempt.try_no = try_no
        session.add(attempt)
        session.flush()
        return self._paper_out(contest, attempt, its_rules, slots, now), 201

    @staticmethod
    def _free_try(
        contest: Contest, its_rules: Rules, past: Sequence[Attempt], now: datetime
    ) -> int:  # fmt: skip
        if now < contest.opens_at:
            raise Refused(409, "contest_not_open")
        if now >= contest.closes_at + rules.LATE_START:
            raise Refused(409, "contest_closed")
        today = rules.beijing_day(now)
        used = {one.try_no for one in past if one.on_day == today}
        if len(used) >= its_rules.papers_per_day or any(one.state == "open" for one in past):
            raise Refused(409, "no_attempts_left")
        return min(set(range(1, its_rules.papers_per_day + 1)) - used)

    def _dealt(
        self, session: Session, contest: Contest, bank: Bank, its_rules: Rules,
        past: Sequence[Attempt],
    ) -> list[Slot]:  # fmt: skip
        shard = random.randrange(rules.SHARDS)
        asked = (
            select(Deck).where(Deck.contest_id == contest.id, Deck.shard == shard).with_for_update()
        )
        deck = session.scalars(asked).one_or_none()
        if deck is None:
            session.execute(
                self.insert(Deck)
                .values(contest_id=contest.id, shard=shard, counts={})
                .on_conflict_do_nothing(index_elements=["contest_id", "shard"])
            )
            deck = session.scalars(asked).one()
        seen = {bank.by_id[row["q"]].ref for one in past for row in one.paper}
        slots = rules.deal(bank, its_rules, seen, deck.counts)
        counts = dict(deck.counts)
        for slot in slots:
            counts[slot.question.ref] = counts.get(slot.question.ref, 0) + 1
        deck.counts = counts
        return slots

    def _new_attempt(
        self, session: Session, citizen: Citizen, contest: Contest, its_rules: Rules,
        slots: Sequence[Slot], now: datetime,
    ) -> Attempt:  # fmt: skip
        entry = session.scalars(
            self.insert(Entry)
            .values(
                contest_id=contest.id, citizen_id=citizen.id, city=citizen.city,
                county=citizen.county, unit_id=citizen.unit_id, audience=citizen.audience,
                left_scopes=[],
            )
            .on_conflict_do_update(
                index_elements=["contest_id", "citizen_id"], set_={"citizen_id": citizen.id}
            )
            .returning(Entry.id)
        ).one()  # fmt: skip
        day = rules.beijing_day(now)
        return Attempt(
            ref=rules.new_ref("att"), contest_id=contest.id, entry_id=entry, citizen_id=citizen.id,
            on_day=day, on_week=rules.iso_week(day), day_limit=its_rules.papers_per_day,
            started_at=now, deadline_at=now + timedelta(seconds=its_rules.seconds), state="open",
            rules_version=its_rules.version, paper=rules.stored(slots), answers={},
        )  # fmt: skip

    @staticmethod
    def _paper_out(
        contest: Contest, attempt: Attempt, its_rules: Rules, slots: Sequence[Slot], now: datetime
    ) -> dict[str, Any]:
        return {
            "id": attempt.ref,
            "contest_id": contest.ref,
            "state": attempt.state,
            "rules_version": its_rules.version,
            "timer": "paper",
            "started_at": attempt.started_at.isoformat(),
            "deadline": attempt.deadline_at.isoformat(),
            "remaining_ms": rules.milliseconds(attempt.deadline_at - now),
            "question_count": its_rules.question_count,
            "questions": rules.shown_questions(slots),
            "answers": rules.shown_answers(slots, attempt.answers),
        }

    # Answers and submission

    @staticmethod
    def _locked(session: Session, citizen: Citizen, ref: str) -> Attempt:
        found = session.scalars(
            select(Attempt)
            .join(Attempt.entry)
            .join(Attempt.contest)
            .join(Contest.pool)
            .options(
                contains_eager(Attempt.entry),
                contains_eager(Attempt.contest).contains_eager(Contest.pool),
            )
            .where(Attempt.ref == ref, Attempt.citizen_id == citizen.id)
            .with_for_update(of=[Entry, Attempt])
        ).one_or_none()
        if found is None:
            raise Refused(404, "not_found")
        return found

    def save(
        self, session: Session, citizen: Citizen, ref: str, given: Given
    ) -> tuple[Any, int]:  # fmt: skip
        """Keep answers of an open paper."""
        attempt = self._locked(session, citizen, ref)
        if attempt.state != "open" or rules.now() > attempt.deadline_at + rules.GRACE:
            raise Refused(409, "attempt_closed")
        bank = self._bank(session, attempt.contest.bank, attempt.contest.pool.revision)
        attempt.answers = rules.merged(
            rules.slots_of(attempt.paper, bank), attempt.answers, given
        )  # fmt: skip
        return None, 204

    def submit(
        self, session: Session, citizen: Citizen, ref: str, given: Given
    ) -> tuple[Any, int]:  # fmt: skip
        """Hand a paper in; once it is closed the same result is told again."""
        attempt = self._locked(session, citizen, ref)
        bank = self._bank(session, attempt.contest.bank, attempt.contest.pool.revision)
        its_rules = self._rules(session, attempt.contest_id, attempt.rules_version)
        slots = rules.slots_of(attempt.paper, bank)
        if attempt.state == "open":
            self.take(citizen.id, "answers")
            best = self._close(session, attempt, its_rules, slots, given)
        else:
            best = self._best_so_far(session, attempt)
        return self._result_out(attempt, its_rules, slots, best), 200

    @staticmethod
    def _best_so_far(session: Session, attempt: Attempt) -> int:
        best = session.scalar(
            select(func.max(Attempt.score)).where(
                Attempt.entry_id == attempt.entry_id,
                Attempt.state != "open",
                tuple_(Attempt.closed_at, Attempt.id) <= tuple_(attempt.closed_at, attempt.id),
            )
        )
        return best or 0

    def _close(
        self, session: Session, attempt: Attempt, its_rules: Rules, slots: Sequence[Slot],
        given: Given,
    ) -> int:  # fmt: skip
        """Close a paper and count it; the citizen's best score with it."""
        now = rules.now()
        late = now > attempt.deadline_at + rules.GRACE
        answers = attempt.answers if late else rules.merged(slots, attempt.answers, given)
        right = rules.correct_count(slots, answers)
        closed_at = attempt.deadline_at if late else now
        used = min(closed_at, attempt.deadline_at) - attempt.started_at
        mine = Played(
            attempt.id, attempt.on_day, attempt.on_week, right * its_rules.points,
            rules.milliseconds(used), closed_at,
        )  # fmt: skip
        played = [*self._played(session, attempt), mine]
        moved = self._counted(session, attempt, played, now)
        stand = moved["total"][0]
        region, city = self._ranks(session, attempt.entry, stand)
        closed = session.execute(
            update(Attempt)
            .where(Attempt.id == attempt.id, Attempt.state == "open")
            .values(
                state="expired" if late else "submitted", answers=answers, score=mine.score,
                correct_count=right, duration_ms=mine.time_ms, closed_at=closed_at,
                rank_region=region, rank_city=city,
            )
        )  # fmt: skip
        if closed.rowcount != 1:
            raise Refused(503, "unavailable")
        entry = attempt.entry
        session.add(
            Participation(
                citizen_id=attempt.citizen_id, kind="paper", source_ref=attempt.ref,
                programme=attempt.contest.programme_slug, city=entry.city, county=entry.county,
                unit_id=entry.unit_id, on_day=attempt.on_day,
            )
        )  # fmt: skip
        place = Place(entry.city, entry.county)
        which = (PREFIX, attempt.contest_id, place, attempt.entry_id, moved)
        session.info["after_commit"] = lambda: self._apply(*boards.apply_arguments(*which))
        return max(one.score for one in played)

    @staticmethod
    def _played(session: Session, attempt: Attempt) -> list[Played]:
        closed = session.execute(
            select(
                Attempt.id, Attempt.on_day, Attempt.on_week, Attempt.score, Attempt.duration_ms,
                Attempt.closed_at,
            ).where(Attempt.entry_id == attempt.entry_id, Attempt.state != "open")
        )  # fmt: skip
        return [Played(*row) for row in closed]

    def _counted(
        self, session: Session, attempt: Attempt, played: Sequence[Played], now: datetime
    ) -> dict[str, tuple[Stand, int]]:
        stands = rules.standings(played, played[-1])
        fresh = self.insert(Standing)
        told = {name: fresh.excluded[name] for name in (*Stand._fields, "changed_at")}
        written = session.execute(
            fresh.on_conflict_do_update(
                index_elements=["entry_id", "period"],
                set_={"version": Standing.version + 1, **told},
            ).returning(Standing.period, Standing.version),
            [
                {"contest_id": attempt.contest_id, "entry_id": attempt.entry_id, "period": period,
                 "version": 1, "changed_at": now, **stand._asdict()}
                for period, stand in stands.items()
            ],
        )  # fmt: skip
        return {period: (stands[period], version) for period, version in written}

    def _ranks(self, session: Session, entry: Entry, stand: Stand) -> tuple[int, int | None]:
        found = self._ahead(
            *boards.ahead_arguments(PREFIX, entry.contest_id, entry.city, stand, entry.id)
        )
        if -1 in found:
            region, city = self._ahead_in_database(session, entry, stand, ties=False)
        else:
            region, city = found[0], found[-2]
            if found[1]:
                # Only the database knows who was earlier with the very same result.
                ties = self._ahead_in_database(session, entry, stand, ties=True)
                region, city = region + ties[0], city + ties[1]
        return region + 1, None if entry.city is None else city + 1

    @staticmethod
    def _ahead_in_database(
        session: Session, entry: Entry, stand: Stand, *, ties: bool
    ) -> tuple[int, int]:
        same = and_(Standing.points == stand.points, Standing.time_ms == stand.time_ms)
        earlier = tuple_(Standing.reached_at, Standing.entry_id) < tuple_(
            stand.reached_at, entry.id
        )
        better = or_(
            Standing.points > stand.points,
            and_(Standing.points == stand.points, Standing.time_ms < stand.time_ms),
        )
        row = session.execute(
            select(func.count(), func.count().filter(Entry.city == entry.city))
            .select_from(Standing)
            .join(Entry, Entry.id == Standing.entry_id)
            .where(
                Standing.contest_id == entry.contest_id, Standing.period == "total",
                and_(same, earlier) if ties else or_(better, and_(same, earlier)),
            )
        ).one()  # fmt: skip
        return row[0], row[1]

    @staticmethod
    def _result_out(
        attempt: Attempt, its_rules: Rules, slots: Sequence[Slot], best: int
    ) -> dict[str, Any]:
        return {
            "id": attempt.ref,
            "contest_id": attempt.contest.ref,
            "state": attempt.state,
            "question_count": its_rules.question_count,
            "closed_at": attempt.closed_at.isoformat(),
            "score": attempt.score,
            "max_score": its_rules.max_score,
            "correct_count": attempt.correct_count,
            "duration_ms": attempt.duration_ms,
            "personal_best": best,
            "ranks": {"region": attempt.rank_region, "city": attempt.rank_city},
            "review": rules.review(slots, attempt.answers),
        }
