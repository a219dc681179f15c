"""Check-in against an oracle: random histories of one hall with two gates, undos and walk-ins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import select

from server.base.errors import AppError
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.checkin import admitting, book, service
from server.checkin.kinds import ScanDirection
from server.checkin.scanning import GivenScan, take_scans
from server.signups import capacity
from server.signups import service as signups
from server.signups.kinds import LIVE, SEATED, SignUpState
from server.signups.models import SignUp
from tests.kit.accounts import a_citizen
from tests.kit.activities import recount, stored_counts
from tests.kit.checkin import EDITOR, admissions_of, check_hall, give_grant, open_lecture
from tests.kit.effort import repeat_count

PEOPLE, ROOM = 6, 6
HISTORIES, STEPS = repeat_count(20, 3), repeat_count(400, 120)
WHO, GATE = st.integers(0, PEOPLE - 1), st.integers(0, 1)


@dataclass
class Known:
    """What the oracle knows of one sign-up: its passages since the last undo."""

    passages: list[tuple[datetime, datetime, int, bool]] = field(default_factory=list)
    undone_at: datetime | None = None

    def is_inside(self) -> bool:
        """Whether the people are inside: the last passage that changed anything was inward."""
        inside = False
        for *_, inward in sorted(self.passages):
            inside = inward
        return inside and self.has_come()

    def has_come(self) -> bool:
        return any(inward for *_, inward in self.passages)


class Doors(RuleBasedStateMachine):
    """Random histories; after each step counters, rows, seats and the oracle must agree."""

    def __init__(self, uow_factory: UnitOfWorkFactory) -> None:
        super().__init__()
        self.uow_factory = uow_factory
        self.clock: Any = uow_factory.dependencies.clock
        with uow_factory.begin() as uow:
            self.people = [a_citizen(uow).id for _ in range(PEOPLE)]
            self.lecture = open_lecture(uow, seats=4, room_limit=ROOM, party_max=2)
            self.gates = [give_grant(uow, self.lecture, label) for label in ("东门", "西门")]
        self.known: dict[int, Known] = {}
        self.sent: list[tuple[int, GivenScan, str]] = []

    def act(self, call: Callable[[UnitOfWork], Any]) -> Any:
        """Do one step a second after the one before; return None when it is refused."""
        self.clock.advance(1)
        refusal = None
        try:
            with self.uow_factory.begin() as uow:
                return call(uow)
        except AppError as trouble:
            refusal = trouble
        assert refusal.status in (404, 409, 422)
        return None

    def newest(self, who: int) -> SignUp | None:
        """The newest sign-up of a person."""
        with self.uow_factory.begin(read_only=True) as uow:
            asked = select(SignUp).where(SignUp.citizen_id == self.people[who])
            row = uow.session.scalar(asked.order_by(SignUp.id.desc()).limit(1))
            uow.session.expunge_all()
            return row

    def note(self, signup_id: int, *, inward: bool, late: timedelta = timedelta(0)) -> None:
        now = self.clock.now()
        known = self.known.setdefault(signup_id, Known())
        at = max(now - late, self.gates[0].taken_at)
        if known.undone_at is None or at >= known.undone_at:
            known.passages.append((at, now - late, len(known.passages), inward))

    @rule(who=WHO, party=st.integers(1, 2))
    def sign_up(self, who: int, party: int) -> None:
        wish = signups.Wish(party_size=party)
        self.act(lambda uow: signups.sign_up(uow, self.people[who], self.lecture.ref, wish))
        self.check()

    @rule(who=WHO)
    def withdraw(self, who: int) -> None:
        before = self.newest(who)
        done = self.act(lambda uow: signups.withdraw(uow, self.people[who], self.lecture.ref))
        if done and before is not None:
            assert not self.known.get(before.id, Known()).has_come()
        self.check()

    @rule(who=WHO, gate=GATE, inward=st.booleans(), late=st.sampled_from([0, 0, 5, 30]))
    def scan(self, who: int, gate: int, inward: bool, late: int) -> None:
        signup = self.newest(who)
        if signup is None:
            return
        by = timedelta(minutes=late)
        direction = ScanDirection.IN if inward else ScanDirection.OUT
        was_inside = self.known.get(signup.id, Known()).is_inside()

        def upload(uow: UnitOfWork) -> str:
            code = signups.spell_ticket(uow.keys, signup.id)
            given = GivenScan(
                nonce=f"n{len(self.sent)}", ticket=code, scanned_at=uow.now - by,
                direction=direction,
            )  # fmt: skip
            (answer,) = take_scans(uow, self.gates[gate], [given], sent_at=uow.now).answers
            self.sent.append((gate, given, answer.result.value))
            return answer.result.value

        result = self.act(upload)
        state = SignUpState(signup.state)
        if state is SignUpState.CONFIRMED:
            assert result in ("OK", "ALREADY")
            if not late:
                assert (result == "OK") == (inward != was_inside)
            self.note(signup.id, inward=inward, late=by)
        else:
            assert result == ("WAITLISTED" if state in LIVE else "CANCELLED")
        self.check()

    @rule(count=st.integers(1, 9))
    def upload_again(self, count: int) -> None:
        for gate in (0, 1):
            again = [(one, told) for at, one, told in self.sent[-count:] if at == gate][::-1]
            if again:
                scans = [one for one, _ in again]
                done = self.act(
                    lambda uow, gate=gate, scans=scans: take_scans(uow, self.gates[gate], scans)
                )
                assert [one.result.value for one in done.answers] == [told for _, told in again]
        self.check()

    @rule(who=WHO)
    def check_in(self, who: int) -> None:
        signup = self.newest(who)

        def use_code(uow: UnitOfWork) -> Any:
            code = service.venue_code_at(uow.keys, self.lecture.id, uow.now)
            return service.check_in_by_code(uow, self.people[who], code)[1]

        done = self.act(use_code)
        if done is not None and signup is not None:
            assert done.fresh != self.known.get(signup.id, Known()).is_inside()
            if done.fresh:
                self.note(signup.id, inward=True)
        self.check()

    @rule(who=WHO, inward=st.booleans())
    def act_by_hand(self, who: int, inward: bool) -> None:
        signup = self.newest(who)
        if signup is None:
            return

        def by_hand(uow: UnitOfWork) -> bool:
            if inward:
                service.admit_by_hand(uow, EDITOR, signup.ref, "补签")
            else:
                service.check_out_by_hand(uow, EDITOR, signup.ref)
            return True

        if self.act(by_hand):
            assert self.known.get(signup.id, Known()).is_inside() != inward
            self.note(signup.id, inward=inward)
        self.check()

    @rule(who=st.integers(0, 20))
    def undo(self, who: int) -> None:
        come = sorted(one for one, known in self.known.items() if known.has_come())
        if not come:
            return
        signup_id = come[who % len(come)]

        def undo(uow: UnitOfWork) -> bool:
            ref = uow.session.get_one(SignUp, signup_id).ref
            service.undo_admission(uow, EDITOR, ref, "扫错了人")
            return True

        assert self.act(undo)
        self.known[signup_id] = Known(undone_at=self.clock.now())
        self.check()

    @rule(party=st.integers(1, 2))
    def walk_in(self, party: int) -> None:
        wish = signups.Wish(party_size=party)
        done = self.act(lambda uow: service.admit_walk_in(uow, EDITOR, self.lecture.ref, wish))
        if done is not None:
            self.note(done.ticket.id, inward=True)
        self.check()

    @rule(seats=st.integers(1, ROOM + 1))
    def change_seats(self, seats: int) -> None:
        self.act(lambda uow: capacity.change_seats(uow, self.lecture.id, seats))
        self.check()

    @rule(minutes=st.sampled_from([1, 3, 10]))
    def wait(self, minutes: int) -> None:
        self.clock.advance(minutes * 60)

    def check(self) -> None:
        with self.uow_factory.begin(read_only=True) as uow:
            check_hall(uow, self.lecture)
            counted = recount(uow, self.lecture)
            assert counted == stored_counts(uow, self.lecture)
            assert counted.taken <= counted.seats <= ROOM
            rows = admissions_of(uow, self.lecture)
            states = {
                row.signup_id: uow.session.get_one(SignUp, row.signup_id).state for row in rows
            }
            come = {row.signup_id for row in rows}
            inside = {row.signup_id for row in rows if row.inside_since is not None}
        # The seat of everybody who came is kept, so no more people come than there are seats.
        assert set(states.values()) <= set(SEATED)
        assert come == {one for one, known in self.known.items() if known.has_come()}
        assert inside == {one for one, known in self.known.items() if known.is_inside()}


def test_random_histories_keep_every_promise_about_admissions(
    uow_factory: UnitOfWorkFactory,
) -> None:
    run_state_machine_as_test(
        lambda: Doors(uow_factory),
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            # A history of hundreds of steps takes many minutes to shrink.
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize(
    ("place", "name", "last"),
    [
        (book, "_record_fact", lambda doors: None),
        (admitting, "uncount_admission", lambda doors: doors.undo(who=0)),
        (signups, "refuse_used", lambda doors: doors.withdraw(who=0)),
    ],
    ids=["participation", "counters", "used places"],
)
def test_the_oracle_sees_an_undo_a_participation_or_a_seat_that_is_wrong(
    uow_factory: UnitOfWorkFactory,
    monkeypatch: pytest.MonkeyPatch,
    place: Any,
    name: str,
    last: Callable[[Doors], None],
) -> None:
    def play_history() -> None:
        doors = Doors(uow_factory)
        doors.sign_up(who=0, party=2)
        doors.act_by_hand(who=0, inward=True)
        last(doors)

    play_history()
    monkeypatch.setattr(place, name, lambda *_: None)
    with pytest.raises(AssertionError):
        play_history()
