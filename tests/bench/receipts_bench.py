"""`python -m tests.bench receipts`: a storm of WeChat's receipts beside phones that save answers.

Three kinds of turns: the phones alone, beside events that are answered and not stored, and beside
receipts, which are stored, found in the ledger by the worker and applied. So the cost of HTTP and
of the cryptography is told apart from that of storing. No figure counts unless every receipt was
stored once and moved its recipient.
"""

from __future__ import annotations

import contextlib
import json
import random
import string
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import func, insert, select

from server.accounts.models import App, Identity
from server.announcements.enums import (
    AnnouncementState,
    Channel,
    ReceiptWord,
    RecipientState,
    TryState,
)
from server.announcements.models import Recipient, SendReceipt, SendTry
from tests.bench.client import write_requests
from tests.bench.letters import Account, http_request, seal_request
from tests.bench.memory import end_process, start_worker
from tests.bench.processes import ROOT, BenchFailed, Server, production
from tests.bench.report import commit, machine
from tests.bench.rows import API, DATABASES
from tests.bench.run import postgres, temporary_folder
from tests.bench.stage import Paper, Stage
from tests.bench.storm_client import Flow, StormOrder, Stream
from tests.kit.announcements import an_announcement
from tests.kit.boards import people

RATE, SECONDS, ROUNDS = 1_000, 10, 5
ASK_RATE, PAPERS = 50, 600
CONNECTIONS, ASK_CONNECTIONS = 64, 16
# Source: the fault matrix of this service; WeChat itself waits for five seconds.
ANSWERED_WITHIN_MS = 500.0
# The p99 of the phones beside receipts, over that beside events that are not stored.
MOST_HARM = 1.5
QUIET, EVENTS, RECEIPTS = "phones alone", "events, not stored", "receipts"
SIDES = (QUIET, EVENTS, RECEIPTS)
STORM, PHONES = "storm", "phones"
_APPLIED_WITHIN = 120.0
_LOOK_SECONDS = 0.1
_ALNUM = string.ascii_letters + string.digits
_ids = count(random.randint(10**12, 10**13))
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One turn of a side.  Units: seconds until the last receipt was applied, after the storm."""

    phones: Flow
    storm: Flow | None = None
    applied_after: float = 0.0


Turns = Mapping[str, Sequence[Turn]]


@dataclass(frozen=True, kw_only=True)
class Receipts:
    """What one run found: the turns of each side, for each database."""

    found: Mapping[str, Turns]
    rate: int
    seconds: int
    began: str

    def harm(self, database: str, over: str = EVENTS) -> float:
        """The p99 of the phones beside receipts, over that of another side: median of the pairs."""
        turns = self.found[database]
        pairs = zip(turns[RECEIPTS], turns[over], strict=True)
        return median(one.phones.p99_ms / other.phones.p99_ms for one, other in pairs)

    def goals(self, database: str) -> list[tuple[str, str, bool]]:
        """The goals of a database: title, value in words, and whether it is met."""
        storms = [one.storm for one in self.found[database][RECEIPTS] if one.storm is not None]
        rate = median(one.rate for one in storms)
        late = median(one.p99_ms for one in storms)
        harm = self.harm(database)
        return [
            (
                f"receipts answered a second, of {self.rate:,}",
                f"{rate:,.0f}",
                rate >= self.rate * 0.98,
            ),
            (
                f"their p99, at most {ANSWERED_WITHIN_MS:g} ms",
                f"{late:.0f} ms",
                late <= ANSWERED_WITHIN_MS,
            ),
            (
                f"p99 of the phones, at most {MOST_HARM:g} of that beside events",
                f"{harm:.2f}",
                harm <= MOST_HARM,
            ),
        ]

    def lines(self) -> list[str]:
        """The figures as Markdown, which reads as text too."""
        lines = [
            f"{machine()}; commit {commit()}; {self.began}; turns of {self.seconds} s, medians", "",
            "| database | beside | a second | p50 ms | p99 ms | most ms | phones p50 ms | p99 ms |",
            "|---|---|---|---|---|---|---|---|",
        ]  # fmt: skip
        for database, turns in self.found.items():
            lines += [self._line(database, side, turns[side]) for side in SIDES]
        lines += ["", "| database | goal | found | |", "|---|---|---|---|"]
        for database in self.found:
            for title, value, met in self.goals(database):
                verdict = "met" if met else "missed"
                lines.append(f"| {DATABASES[database]} | {title} | {value} | {verdict} |")
        lines.append("")
        for database, turns in self.found.items():
            applied = median(one.applied_after for one in turns[RECEIPTS])
            lines.append(
                f"{DATABASES[database]}: p99 of the phones beside receipts / alone"
                f" {self.harm(database, QUIET):.2f}; the last receipt was applied {applied:.1f} s"
                " after the storm."
            )
        return lines

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            database: {
                "harm": round(self.harm(database), 3),
                "harm_to_quiet": round(self.harm(database, QUIET), 3),
                **{side: [asdict(one) for one in turns[side]] for side in SIDES},
            }
            for database, turns in self.found.items()
        }

    def _line(self, database: str, side: str, turns: Sequence[Turn]) -> str:
        storms = [one.storm for one in turns if one.storm is not None]
        names = ("rate", "p50_ms", "p99_ms", "most_ms")
        told = [f"{median(getattr(one, name) for one in storms):,.0f}" if storms else ""
                for name in names]  # fmt: skip
        asked = [f"{median(getattr(one.phones, name) for one in turns):.0f}"
                 for name in ("p50_ms", "p99_ms")]  # fmt: skip
        return f"| {' | '.join([DATABASES[database], side, *told, *asked])} |"


def measure_receipts(
    databases: Sequence[str], rate: int, seconds: int, rounds: int, say: Say
) -> dict[str, dict[str, list[Turn]]]:
    """The sides in turns, on each database.

    Raises: BenchFailed when a request was not answered, or a receipt was not stored or applied.
    """
    found = {}
    for database in databases:
        with contextlib.ExitStack() as closing:
            folder = Path(closing.enter_context(temporary_folder()))
            lite = f"sqlite:///{folder / 'receipts.sqlite3'}"
            url = lite if database == "sqlite" else postgres(closing, "receipts")
            say(f"{DATABASES[database]}: server, worker, {rate * seconds:,} recipients")
            ground = Ground(folder, url, closing, rate * seconds)
            ground.turn(QUIET, rate, 1)
            ground.turn(RECEIPTS, rate, 1)
            turns: dict[str, list[Turn]] = {side: [] for side in SIDES}
            for number in range(rounds):
                for side in SIDES if number % 2 == 0 else reversed(SIDES):
                    say(f"{DATABASES[database]}: {side}, round {number + 1} of {rounds}")
                    turns[side].append(ground.turn(side, rate, seconds))
            found[database] = turns
    return found


class Ground:
    """The product in production shape on one database, with people who have both apps."""

    def __init__(
        self, folder: Path, url: str, closing: contextlib.ExitStack, recipients: int
    ) -> None:
        self._folder = folder
        self._account = Account.fresh()
        self.stage = Stage(folder / "house", url, self._account)
        closing.callback(self.stage.close)
        contest = self.stage.contest("receipts", 0)
        self._papers = self.stage.papers(contest, PAPERS)
        self._people = _add_followers(self.stage, recipients)
        (folder / "server").mkdir()
        self._server = Server("wsgi:app", folder / "server", None, self.stage.environment,
                              command=partial(production, workers=None))  # fmt: skip
        closing.callback(self._server.stop)
        worker = start_worker(self.stage.environment)
        closing.callback(end_process, worker)
        self._server.await_answer("/readyz")

    def turn(self, side: str, rate: int, seconds: int) -> Turn:
        """One side for so long."""
        streams = {PHONES: self._save_answers(seconds)}
        sent: list[str] = []
        if side != QUIET:
            chosen = self._people[: rate * seconds]
            sent = [str(next(_ids)) for _ in chosen]
            if side == RECEIPTS:
                _add_sends(self.stage, [who for who, _ in chosen], sent)
            requests = list(self._write_events(side, chosen, sent))
            streams[STORM] = self._stream(STORM, requests, rate, CONNECTIONS, 200, "success")
        flows = _send(StormOrder(port=self._server.port, streams=streams))
        ended = time.monotonic()
        if side == RECEIPTS:
            _await_applied(self.stage, len(sent))
        return Turn(
            phones=flows[PHONES],
            storm=flows.get(STORM),
            applied_after=time.monotonic() - ended if side == RECEIPTS else 0.0,
        )

    def _save_answers(self, seconds: int) -> Stream:
        requests = [_save_request(paper) for paper in self._papers]
        stream = self._stream(PHONES, requests, ASK_RATE, ASK_CONNECTIONS, 204)
        return Stream(**{**asdict(stream), "count": ASK_RATE * seconds})

    def _stream(
        self, name: str, requests: Sequence[bytes], rate: int, connections: int, status: int,
        holds: str = "",
    ) -> Stream:  # fmt: skip
        file = self._folder / f"{name}.requests"
        write_requests(file, requests)
        return Stream(file=str(file), rate=rate, count=len(requests), connections=connections,
                      status=status, holds=holds)  # fmt: skip

    def _write_events(
        self, side: str, chosen: Sequence[tuple[int, str]], message_ids: Sequence[str]
    ) -> Iterator[bytes]:
        event = "TEMPLATESENDJOBFINISH" if side == RECEIPTS else "an_event_of_tomorrow"
        for (_, openid), message_id in zip(chosen, message_ids, strict=True):
            inner = (
                f"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{event}]]></Event>"
                f"<MsgID>{message_id}</MsgID><Status><![CDATA[success]]></Status>"
            )
            yield seal_request(self._account, openid, str(int(time.time())), inner)


def _save_request(paper: Paper) -> bytes:
    body = json.dumps({"answers": paper.answers}).encode()
    return http_request("PUT", f"{API}/attempts/{paper.ref}/answers", body, token=paper.token)


def _add_followers(stage: Stage, many: int) -> list[tuple[int, str]]:
    """Citizens with an openid of the official account: their row ids and openids."""
    with stage.application.uow_factory.begin() as uow:
        found = [(who, "o" + "".join(random.choices(_ALNUM, k=27))) for who in people(uow, many)]
        rows = [
            {"app": App.OFFICIAL_ACCOUNT, "openid": openid, "citizen_id": who, "made_at": uow.now}
            for who, openid in found
        ]
        uow.session.execute(insert(Identity), rows)
    return found


def _add_sends(stage: Stage, citizen_ids: Sequence[int], message_ids: Sequence[str]) -> None:
    """An announcement that was sent to these citizens with these ids of WeChat."""
    with stage.application.uow_factory.begin() as uow:
        row = an_announcement(
            uow, ref=uow.new_ref("ann"), state=AnnouncementState.DONE, ended_at=uow.now
        )
        recipients = [
            {"announcement_id": row.id, "citizen_id": who, "state": RecipientState.SENT,
             "channel": Channel.TEMPLATE, "settled_at": uow.now}
            for who in citizen_ids
        ]  # fmt: skip
        made = uow.session.execute(
            insert(Recipient).returning(Recipient.id, sort_by_parameter_order=True), recipients
        )
        tries = [
            {"recipient_id": recipient_id, "channel": Channel.TEMPLATE, "made_at": uow.now,
             "state": TryState.ACCEPTED, "client_msg_id": f"b{message_id}",
             "message_id": message_id, "settled_at": uow.now}
            for recipient_id, message_id in zip(made.scalars(), message_ids, strict=True)
        ]  # fmt: skip
        uow.session.execute(insert(SendTry), tries)


def _send(order: StormOrder) -> dict[str, Flow]:
    """Carry out an order in a process of its own.

    Raises: BenchFailed when an answer was wrong.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.storm_client"],
        input=json.dumps(asdict(order)), cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BenchFailed(f"the load generator failed:\n{done.stderr}")
    flows = {name: Flow(**one) for name, one in json.loads(done.stdout).items()}
    for name, flow in flows.items():
        if flow.wrong:
            raise BenchFailed(f"{name}: an answer that does not count:\n{flow.wrong}")
    return flows


def _await_applied(stage: Stage, many: int) -> None:
    """Wait until every receipt is stored once and has moved its recipient.

    Raises: BenchFailed.
    """
    pause, last = threading.Event(), (0, 0)
    given_up = time.monotonic() + _APPLIED_WITHIN
    while time.monotonic() < given_up:
        with stage.application.uow_factory.begin(read_only=True) as uow:
            stored = uow.session.scalar(select(func.count()).select_from(SendReceipt)) or 0
            moved = select(func.count()).where(Recipient.receipt == ReceiptWord.DELIVERED)
            last = (stored, uow.session.scalar(moved) or 0)
            sent = uow.session.scalar(select(func.count()).select_from(SendTry)) or 0
        if last == (sent, sent):
            return
        pause.wait(_LOOK_SECONDS)
    raise BenchFailed(f"of {many} new receipts: {last[0]} stored, {last[1]} applied in all")
