"""Result cards, and the visits that they bring.

Nothing is earned here: this file writes only shares, and visits through the channel slice. A visit
is used only for the report of shares and channels.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, select, update

from server.accounts import service as accounts
from server.base.errors import NotFound
from server.base.outbox_rows import idle_values, queued_values
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.channel import service as channel
from server.programme import service as programmes
from server.quiz.attempts import attempt_store
from server.quiz.attempts.shown_ranks import StoredRanks, ranks_to_show
from server.quiz.contests import service as contests
from server.quiz.errors import AttemptOpen, PosterNotReady
from server.quiz.models import Attempt, Contest, Entry, Share
from server.quiz.sharing.codes import ASK_AGAIN_AFTER, PAGE
from server.quiz.sharing.poster import Card, Poster, can_draw_name
from server.units import service as units
from server.wechat.errors import WeChatError

_log = logging.getLogger(__name__)

FetchCode = Callable[[str, str], bytes]


@dataclass(frozen=True, kw_only=True)
class PlannedCard:
    """A card to be made, or the existing one; without `has_code` its code must be fetched."""

    ref: str
    attempt_id: int
    has_code: bool


@dataclass(frozen=True, kw_only=True)
class ShareView:
    """A card as its citizen shares it."""

    ref: str
    path: str
    title: str
    image_url: str
    card_url: str


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """The picture of a code; None when WeChat is unavailable."""

    planned: PlannedCard
    picture: bytes | None = field(repr=False)


def plan_card(uow: UnitOfWork, citizen_id: int, attempt_ref: str) -> PlannedCard:
    """The single card of a citizen's own closed paper.

    Raises: NotFound (404), AttemptOpen (409).
    """
    sheet = attempt_store.find_attempt(uow, attempt_ref, citizen_id)
    if sheet is None:
        raise NotFound
    if sheet.is_open:
        raise AttemptOpen
    row = uow.session.execute(
        select(Share.ref, Share.code_picture.is_not(None)).where(Share.attempt_id == sheet.id)
    ).one_or_none()
    ref, has_code = (uow.new_ref("shr"), False) if row is None else row
    return PlannedCard(ref=ref, attempt_id=sheet.id, has_code=has_code)


def fetch_card_code(fetch_code: FetchCode, planned: PlannedCard) -> Fetched:
    """Fetch the code of a card from WeChat; never call it inside a transaction."""
    if planned.has_code:
        return Fetched(planned=planned, picture=None)
    try:
        return Fetched(planned=planned, picture=fetch_code(planned.ref, PAGE))
    except WeChatError as trouble:
        _log.warning("poster waits for its code", extra={"code": trouble.code})
        return Fetched(planned=planned, picture=None)


def create_card(uow: UnitOfWork, citizen_id: int, fetched: Fetched) -> ShareView:
    """Create the card, or return the existing one.

    Locks: the citizen, because the new row refers to citizen and paper.
    """
    accounts.lock_citizen(uow, citizen_id)
    planned, picture = fetched.planned, fetched.picture
    fresh = insert_for(uow.session, Share).values(
        ref=planned.ref,
        citizen_id=citizen_id,
        attempt_id=planned.attempt_id,
        code_picture=picture,
        made_at=uow.now,
        **(queued_values(uow.now, uow.now + ASK_AGAIN_AFTER) if picture is None else {}),
    )
    uow.session.execute(fresh.on_conflict_do_nothing())
    keep_code(uow, fetched)
    row = uow.session.execute(
        select(Share.ref, Attempt.contest_id, Attempt.score)
        .join(Attempt, Attempt.id == Share.attempt_id)
        .where(Share.attempt_id == planned.attempt_id)
    ).one()
    title = contests.contest_by_id(uow, row.contest_id).title
    pictures = f"{uow.settings.public_url.rstrip('/')}/api/v1/shares/{row.ref}"
    return ShareView(
        ref=row.ref,
        path=f"/{PAGE}?scene={row.ref}",
        title=uow.texts.fill_text("quiz.share.title", title=title, score=row.score),
        image_url=f"{pictures}/image.png",
        card_url=f"{pictures}/card.png",
    )


def keep_code(uow: UnitOfWork, fetched: Fetched) -> bool:
    """Store a fetched code and dequeue the card; return whether the code was missing."""
    if fetched.picture is None:
        return False
    done = uow.session.execute(
        update(Share)
        .where(Share.ref == fetched.planned.ref, Share.code_picture.is_(None))
        .values(code_picture=fetched.picture, **idle_values())
    )
    return int(getattr(done, "rowcount", 0)) == 1


def read_card(uow: UnitOfWork, ref: str) -> Card:
    """The content of a card. The name is masked unless its owner chose to be public.

    Raises: NotFound (404).
    """
    return _card_from_row(uow, _find_share(uow, ref))


def read_poster(uow: UnitOfWork, ref: str) -> Poster:
    """The content of a card's poster: that of the card, and more of the result.

    Raises: NotFound (404), PosterNotReady (503) while its code is missing.
    """
    row = _find_share(uow, ref)
    if row.code_picture is None:
        raise PosterNotReady(retry_after_seconds=30)
    rules = contests.rules_at(uow, row.contest_id, row.rules_version)
    said = uow.texts.fill_text
    return Poster(
        **vars(_card_from_row(uow, row)),
        lines=(
            said("quiz.share.right", right=row.correct_count, count=rules.question_count),
            *_rank_lines(uow, row),
        ),
        invitation=said("quiz.share.invitation"),
        code=row.code_picture,
    )


def _find_share(uow: UnitOfWork, ref: str) -> Row[*tuple[Any, ...]]:
    row = uow.session.execute(
        select(
            Share.code_picture,
            Share.citizen_id,
            Attempt.contest_id,
            Attempt.rules_version,
            Attempt.score,
            Attempt.correct_count,
            Attempt.entry_id,
            Attempt.rank_region,
            Attempt.rank_city,
            Entry.city,
            Entry.left_scopes,
            Contest.freezes_at,
            Contest.final_id,
        )
        .join(Attempt, Attempt.id == Share.attempt_id)
        .join(Contest, Contest.id == Attempt.contest_id)
        .join(Entry, Entry.id == Attempt.entry_id)
        # A held result is not public, so its card is not found.
        .where(Share.ref == ref, Entry.held_at.is_(None))
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def _card_from_row(uow: UnitOfWork, row: Row[*tuple[Any, ...]]) -> Card:
    rules = contests.rules_at(uow, row.contest_id, row.rules_version)
    return Card(
        campaign=_campaign_names(uow),
        contest=contests.contest_by_id(uow, row.contest_id).title,
        name=_drawable_name(uow, row.citizen_id),
        score=str(row.score),
        score_note=uow.texts.fill_text("quiz.share.of", most=rules.max_score),
    )


def _drawable_name(uow: UnitOfWork, citizen_id: int) -> str:
    """The name for the public, or a placeholder when it cannot be drawn."""
    name = accounts.names_of(uow, [citizen_id])[citizen_id].shown
    return name if can_draw_name(name) else uow.texts.fill_text("quiz.share.unnamed")


def _campaign_names(uow: UnitOfWork) -> tuple[str, ...]:
    """The campaign's name in both languages, as far as loaded."""
    try:
        found = programmes.find_campaign(uow)
    except NotFound:
        return (uow.texts.fill_text("quiz.share.campaign"),)
    return tuple(title for title in (found.title, found.title_za) if title)


def _rank_lines(uow: UnitOfWork, row: Row[*tuple[Any, ...]]) -> list[str]:
    say = uow.texts.fill_text
    # After a move the rank belongs to another city than the present one.
    moved = any(scope.startswith("city:") for scope in row.left_scopes)
    stored = StoredRanks(
        row.contest_id, row.entry_id, row.freezes_at, row.final_id, row.rank_region, row.rank_city,
        None if moved and row.rank_region is not None else row.city,
    )  # fmt: skip
    ranks = ranks_to_show(uow, stored)
    if ranks.region is None:
        return []
    kind = ranks.kind.value
    lines = [say(f"quiz.share_rank.{kind}_region", rank=ranks.region)]
    if ranks.city_rank is None:
        return lines
    city = units.load_regions().find_city(ranks.city or "")
    where = say("quiz.share.city") if city is None else city.name
    return [*lines, say(f"quiz.share_rank.{kind}_city", city=where, rank=ranks.city_rank)]


def record_visit(uow: UnitOfWork, citizen_id: int, scene: str) -> None:
    """Record once a day that a citizen came by a card or code; anonymous visits are ignored."""
    if _is_known_scene(uow, scene):
        channel.record_mini_program_visit(uow, citizen_id, scene)


def _is_known_scene(uow: UnitOfWork, scene: str) -> bool:
    shared = uow.session.scalar(select(Share.id).where(Share.ref == scene))
    return shared is not None or channel.knows_scene(uow, scene)
