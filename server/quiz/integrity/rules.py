"""The signs of cheating: pure rules with stated thresholds. A finding alone changes nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.quiz.enums import Signal

# Nobody reads and answers a question in less. Units: milliseconds per answered question.
SPEED_FLOOR_MS = 1_000
# A paper submitted nearly empty is quick without cheating.
FEWEST_ANSWERED = 5
# Identical papers are a sign only if they share mistakes: without mistakes all papers are equal.
FEWEST_COMMON_MISTAKES = 2
FEWEST_SAME_PAPERS = 3
# A family or a small group may share one telephone; more citizens than this are a sign.
MOST_CITIZENS_ON_DEVICE = 7
PERFECT_PAPERS_IN_HOUR = 5
# At most this many papers of others are named in evidence; all of them are counted.
MOST_NAMED = 20
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class InspectedPaper:
    """One closed paper.  `vector` is its questions and answers as one comparable text."""

    ref: str
    entry_id: int
    citizen_id: int
    question_count: int
    answered: int
    correct_count: int
    score: int
    max_score: int
    duration_ms: int
    closed_at: datetime
    vector: str

    @property
    def mistakes(self) -> int:
        """Answered questions that were wrong."""
        return self.answered - self.correct_count

    @property
    def is_perfect(self) -> bool:
        """Whether every question was answered right."""
        return self.correct_count == self.question_count > 0


@dataclass(frozen=True, kw_only=True)
class SignalFinding:
    """A sign about one entry, with its evidence as JSON values."""

    entry_id: int
    signal: Signal
    evidence: Mapping[str, object]


def find_signals(
    papers: Sequence[InspectedPaper], citizens_on: Mapping[str, frozenset[int]]
) -> list[SignalFinding]:
    """All signs in these papers of one contest, one per entry and signal.

    `citizens_on` has the citizens of each device that one of the papers' citizens uses.
    """
    found: dict[tuple[int, Signal], SignalFinding] = {}
    for finding in (
        *_find_fast_papers(papers),
        *_find_impossible_papers(papers),
        *_find_same_answers(papers),
        *_find_shared_devices(papers, citizens_on),
        *_find_perfect_hours(papers, citizens_on),
    ):
        found.setdefault((finding.entry_id, finding.signal), finding)
    return list(found.values())


def _find_fast_papers(papers: Sequence[InspectedPaper]) -> Iterator[SignalFinding]:
    for one in papers:
        fast = one.duration_ms < SPEED_FLOOR_MS * one.answered
        if one.answered >= FEWEST_ANSWERED and fast and one.correct_count * 2 >= one.answered:
            each = one.duration_ms // one.answered
            evidence = {"papers": [one.ref], "each_ms": each, "floor_ms": SPEED_FLOOR_MS}
            yield SignalFinding(entry_id=one.entry_id, signal=Signal.SPEED, evidence=evidence)


def _find_impossible_papers(papers: Sequence[InspectedPaper]) -> Iterator[SignalFinding]:
    for one in papers:
        too_much = one.score > one.max_score or one.correct_count > one.question_count
        if too_much or one.correct_count > one.answered or one.duration_ms < 0:
            evidence = {"papers": [one.ref], "score": one.score, "most": one.max_score}
            yield SignalFinding(entry_id=one.entry_id, signal=Signal.IMPOSSIBLE, evidence=evidence)


def _find_same_answers(papers: Sequence[InspectedPaper]) -> Iterator[SignalFinding]:
    alike: dict[str, list[InspectedPaper]] = defaultdict(list)
    for one in papers:
        if one.answered >= FEWEST_ANSWERED and one.mistakes >= FEWEST_COMMON_MISTAKES:
            alike[one.vector].append(one)
    for group in alike.values():
        if len({one.citizen_id for one in group}) >= FEWEST_SAME_PAPERS:
            name_papers = _papers_namer(group)
            for one in group:
                evidence = {**name_papers(one), "mistakes": one.mistakes}
                yield SignalFinding(
                    entry_id=one.entry_id, signal=Signal.SAME_ANSWERS, evidence=evidence
                )


def _find_shared_devices(
    papers: Sequence[InspectedPaper], citizens_on: Mapping[str, frozenset[int]]
) -> Iterator[SignalFinding]:
    by_citizen = _group_by_citizen(papers)
    for device, citizens in citizens_on.items():
        if len(citizens) > MOST_CITIZENS_ON_DEVICE:
            here = _papers_of(by_citizen, citizens)
            name_papers = _papers_namer(here)
            for one in here:
                facts = {"citizens": len(citizens), "device": device[:8]}
                yield SignalFinding(
                    entry_id=one.entry_id,
                    signal=Signal.SHARED_DEVICE,
                    evidence={**name_papers(one), **facts},
                )


def _find_perfect_hours(
    papers: Sequence[InspectedPaper], citizens_on: Mapping[str, frozenset[int]]
) -> Iterator[SignalFinding]:
    by_citizen = _group_by_citizen([one for one in papers if one.is_perfect])
    for device, citizens in citizens_on.items():
        for within, fresh in _perfect_hours(_papers_of(by_citizen, citizens)):
            name_papers = _papers_namer(within)
            for one in fresh:
                evidence = {**name_papers(one), "device": device[:8]}
                yield SignalFinding(
                    entry_id=one.entry_id, signal=Signal.PERFECT_HOUR, evidence=evidence
                )


def _perfect_hours(
    here: Sequence[InspectedPaper],
) -> Iterator[tuple[Sequence[InspectedPaper], Sequence[InspectedPaper]]]:
    """Hours with too many perfect papers of one device: all of them, and those not yielded yet.

    Each paper begins an hour. An hour whose papers were all yielded before is left out, so that
    many papers of one hour are not yielded many times.
    """
    end = told = 0
    of_citizen: Counter[int] = Counter()
    for first, begin in enumerate(here):
        while end < len(here) and here[end].closed_at <= begin.closed_at + _HOUR:
            of_citizen[here[end].citizen_id] += 1
            end += 1
        if len(of_citizen) >= PERFECT_PAPERS_IN_HOUR and end > told:
            yield here[first:end], here[max(first, told) : end]
            told = end
        of_citizen[begin.citizen_id] -= 1
        if not of_citizen[begin.citizen_id]:
            del of_citizen[begin.citizen_id]


def _group_by_citizen(
    papers: Sequence[InspectedPaper],
) -> Mapping[int, Sequence[InspectedPaper]]:
    found: dict[int, list[InspectedPaper]] = defaultdict(list)
    for one in papers:
        found[one.citizen_id].append(one)
    return found


def _papers_of(
    by_citizen: Mapping[int, Sequence[InspectedPaper]], citizens: Iterable[int]
) -> list[InspectedPaper]:
    """The papers of these citizens, in the order of their closing."""
    here = [paper for citizen in citizens for paper in by_citizen.get(citizen, ())]
    return sorted(here, key=lambda one: (one.closed_at, one.ref))


def _papers_namer(
    group: Sequence[InspectedPaper],
) -> Callable[[InspectedPaper], dict[str, object]]:
    """A function that names papers of a group as evidence about one of them.

    Its entry's own papers and a few others are named, and all are counted: otherwise the evidence
    about a thousand identical papers would contain a million ids.
    """
    own: dict[int, list[str]] = defaultdict(list)
    for one in group:
        own[one.entry_id].append(one.ref)
    some = sorted(one.ref for one in group[:MOST_NAMED])

    def name_papers(one: InspectedPaper) -> dict[str, object]:
        return {"papers": sorted({*own[one.entry_id], *some}), "paper_count": len(group)}

    return name_papers
