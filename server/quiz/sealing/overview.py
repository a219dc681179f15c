"""Final ranks in the console: freeze, sealing and publication; versions and their differences."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, cast, func, null, or_, select
from sqlalchemy.orm import aliased

from server.base.access import Organizer, Permission
from server.base.errors import NotFound
from server.base.ownership import people_of, scope_of, serving_found_row, visible_to, writable_by
from server.base.uow import UnitOfWork
from server.base.web.page import Waiting
from server.organizers import service as organizers
from server.quiz.enums import SealState
from server.quiz.leaderboards import standings_queries
from server.quiz.models import Contest, Entry, SealChange, SealedRank, SealedVersion
from server.quiz.sealing import service as sealing
from server.quiz.sealing.building import read_file
from server.quiz.sealing.stepping import BuildProgress, read_progress

_MOST_MOVES = 200


@dataclass(frozen=True, kw_only=True)
class FinalOverview:
    """The state of a contest on the way to its final ranks: open, frozen, over, sealed, published.

    `own`: the organizer may change the contest. `draft`: the version that waits for publication.
    `own_sealing`, `own_change`: the organizer sealed it, or it contains a change of results by this
    organizer; one of `others` approvers publishes it. `building` is the progress of a version that
    is being made; `versions` has the others.
    """

    ref: str
    title: str
    own: bool
    closes_at: datetime
    freezes_at: datetime | None
    frozen: bool
    over: bool
    sealable_at: datetime
    open_papers: int
    open_cases: int
    pending: int
    building: BuildProgress | None
    draft: SealedVersion | None
    own_sealing: bool
    own_change: bool
    others: int
    published: SealedVersion | None
    versions: Sequence[SealedVersion]

    @property
    def sealed(self) -> bool:
        """Whether a version is in force: published, waiting, or being made."""
        versions = (self.building, self.draft, self.published)
        return any(one is not None for one in versions)

    def may_publish(self, version: SealedVersion) -> bool:
        """Whether this organizer, as an approver, may publish a version now."""
        waits = self.pending > 0 or self.building is not None
        barred = self.own_sealing or self.own_change or waits
        return self.own and version is self.draft and not barred


@dataclass(frozen=True, kw_only=True)
class MovedRank:
    """An entry whose rank differs between two versions; None where it is not in one."""

    name: str
    before: int | None
    after: int | None


def show_overview(uow: UnitOfWork, organizer: Organizer, ref: str) -> FinalOverview:
    """Return the state of a contest's final ranks.

    Raises: NotFound (404), also for a draft of a contest.
    """
    contest = sealing.find_contest_row(uow, organizer, ref)
    if contest.published_at is None:
        raise NotFound
    every = _list_versions(uow, organizer, contest)
    versions = [one for one in every if one.state is not SealState.BUILDING]
    begun = next((one for one in every if one.state is SealState.BUILDING), None)
    draft = next((one for one in versions if one.state is SealState.DRAFT), None)
    with serving_found_row(uow.session):
        papers = sealing.count_open_papers(uow, contest.id)
        cases = len(sealing.find_open_cases(uow, contest.id))
        building = None if begun is None else read_progress(uow, begun)
    freezes_at = contest.freezes_at
    return FinalOverview(
        ref=contest.ref,
        title=contest.title,
        own=organizer.scope.covers_scope(scope_of(contest)),
        closes_at=contest.closes_at,
        freezes_at=freezes_at,
        frozen=contest.final_id is None and freezes_at is not None and freezes_at <= uow.now,
        over=uow.now >= contest.closes_at,
        sealable_at=sealing.sealable_from(contest),
        open_papers=papers,
        open_cases=cases,
        pending=len(sealing.find_pending_changes(uow, contest.id)),
        building=building,
        draft=draft,
        own_sealing=draft is not None and organizer.id == draft.author_id,
        own_change=draft is not None and organizer.id in sealing.find_causers(uow, draft.id),
        others=0 if draft is None else _count_publishers(uow, contest, draft),
        published=next((one for one in versions if one.state is SealState.PUBLISHED), None),
        versions=versions,
    )


def _list_versions(uow: UnitOfWork, organizer: Organizer, contest: Contest) -> list[SealedVersion]:
    """Every version of a contest, the newest first."""
    of_contest = (
        select(SealedVersion)
        .join(Contest, Contest.id == SealedVersion.contest_id)
        .where(Contest.id == contest.id)
    )
    wanted = visible_to(of_contest, organizer, Contest)
    return list(uow.session.scalars(wanted.order_by(SealedVersion.number.desc())))


def _count_publishers(uow: UnitOfWork, contest: Contest, draft: SealedVersion) -> int:
    barred = sealing.find_barred(uow, draft)
    return organizers.count_permitted(uow, Permission.CONTEST_SEAL, scope_of(contest), barred)


def find_version(uow: UnitOfWork, organizer: Organizer, ref: str, version: str) -> SealedVersion:
    """A version of a contest that the organizer may see.

    Raises: NotFound (404).
    """
    shown = show_overview(uow, organizer, ref)
    for one in shown.versions:
        if one.ref == version:
            return one
    raise NotFound


def list_moves(
    uow: UnitOfWork, organizer: Organizer, contest_ref: str, version: SealedVersion
) -> tuple[list[MovedRank], int]:
    """Entries of the organizer's place whose rank differs from the version before; their number.

    Units: at most 200 entries, by their new rank; the number counts all.
    """
    contest = sealing.find_contest_row(uow, organizer, contest_ref)
    before = uow.session.scalar(
        visible_to(select(SealedVersion.id).join(Contest), organizer, Contest)
        .where(SealedVersion.contest_id == contest.id, SealedVersion.number == version.number - 1)
    )  # fmt: skip
    if before is None:
        return [], 0
    moves = _select_moves(before, version.id).subquery()
    shown = people_of(select(moves).join(Entry, Entry.id == moves.c.entry_id), organizer, Entry)
    count = people_of(
        select(func.count()).select_from(moves).join(Entry, Entry.id == moves.c.entry_id),
        organizer,
        Entry,
    )
    rows = uow.session.execute(
        shown.order_by(moves.c.after.is_(None), moves.c.after, moves.c.before).limit(_MOST_MOVES)
    ).all()
    with serving_found_row(uow.session):
        players = standings_queries.players_by_entry(uow, [row.entry_id for row in rows])
    return [
        MovedRank(name=players[row.entry_id].name.shown, before=row.before, after=row.after)
        for row in rows
    ], uow.session.scalar(count) or 0


def _select_moves(before: int, after: int) -> Select[Any]:
    """Entries of one or both versions with different ranks."""
    old, new = aliased(SealedRank), aliased(SealedRank)
    joined = (
        select(old.entry_id.label("entry_id"), old.rank.label("before"), new.rank.label("after"))
        .outerjoin(new, (new.entry_id == old.entry_id) & (new.version_id == after))
        .where(old.version_id == before, or_(new.rank.is_(None), new.rank != old.rank))
    )
    known = select(old.entry_id).where(old.version_id == before)
    come = select(new.entry_id, cast(null(), Integer), new.rank).where(
        new.version_id == after, new.entry_id.not_in(known)
    )
    both = joined.union_all(come).subquery()
    return select(both.c.entry_id, both.c.before, both.c.after)


def pack_version(
    uow: UnitOfWork, organizer: Organizer, ref: str, version_ref: str
) -> tuple[int, bytes]:
    """A version's number, and a ZIP of its rank file, document, signature and public key.

    Raises: NotFound (404), also outside the place that owns the contest.
    """
    if not show_overview(uow, organizer, ref).own:
        raise NotFound
    version = find_version(uow, organizer, ref, version_ref)
    made = io.BytesIO()
    signed = {
        "algorithm": "Ed25519",
        "signed_file": "document.json",
        "signature": version.signature,
        "public_key": version.public_key,
    }
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as pack:
        with pack.open("ranks.csv", "w") as file:
            for part in read_file(uow, version.id):
                file.write(part)
        pack.writestr("document.json", version.document)
        pack.writestr("signature.json", json.dumps(signed, indent=1))
    return version.number, made.getvalue()


def tell_waiting(uow: UnitOfWork, organizer: Organizer) -> list[Waiting]:
    """Ended contests that are not sealed, and versions that wait for their publication."""
    if not organizer.has_permission(Permission.CONTEST_SEAL):
        return []
    ended = select(func.count()).select_from(Contest).where(
        Contest.published_at.is_not(None), Contest.closes_at <= uow.now, Contest.sealed_at.is_(None)
    )  # fmt: skip
    count = uow.session.scalar(writable_by(ended, organizer, Contest)) or 0
    drafts = list(uow.session.scalars(_select_publishable(organizer)))
    closed = "/contests?state=closed"
    publish = f"/contests/{drafts[0]}/final" if len(drafts) == 1 else closed
    return [
        Waiting(count=count, said="quiz.final.waiting_seal", path=closed),
        Waiting(count=len(drafts), said="quiz.final.waiting_publish", path=publish),
    ]


def _select_publishable(organizer: Organizer) -> Select[Any]:
    """The contests with a draft that this organizer may publish now."""
    drafts = (
        select(Contest.ref)
        .join(SealedVersion, SealedVersion.contest_id == Contest.id)
        .where(
            SealedVersion.state == SealState.DRAFT,
            SealedVersion.author_id.is_distinct_from(organizer.id),
            ~_has_change(
                SealChange.version_id == SealedVersion.id, SealChange.organizer_id == organizer.id
            ),
            ~_has_change(SealChange.contest_id == Contest.id, SealChange.version_id.is_(None)),
            Contest.id.not_in(_select_building()),
        )
    )
    return writable_by(drafts, organizer, Contest)


def _select_building() -> Select[Any]:
    """The ids of contests with a version that is being made; only for a scoped statement."""
    return select(SealedVersion.contest_id).where(SealedVersion.state == SealState.BUILDING)


def _has_change(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(SealChange.id).where(*conditions).exists()
