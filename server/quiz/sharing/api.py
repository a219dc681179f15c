"""Result cards, their posters, and visits; by rule, none of them earns anything."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from server.base.errors import NotFound
from server.base.rate_limits import SHARE, VISIT
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.drawings import Drawing, PictureBusy
from server.base.web.endpoint import Api, PreflightContext, endpoint
from server.base.web.schema import In, Out, fill_from
from server.quiz.attempts.schemas import Ref
from server.quiz.errors import AttemptOpen, PosterNotReady
from server.quiz.sharing import service as shares
from server.quiz.sharing.poster import content_name, draw_poster, drawn_card
from server.quiz.sharing.service import Fetched

SHARE_API = Api("shares")
# Short, because a name can be hidden and a card withdrawn at any time.
_KEEP_SECONDS = 60


class ShareIn(In, frozen=True, kw_only=True):
    """A request for a card: one of the citizen's own closed papers."""

    kind: Literal["quiz_result"]
    attempt_id: Ref


class ShareOut(Out, frozen=True, kw_only=True):
    """A card: its page, its title, its poster, and its picture in a chat."""

    id: str
    path: str
    title: str
    image_url: str
    card_url: str


class VisitIn(In, frozen=True, kw_only=True):
    """The scene of the launch options."""

    scene: Annotated[str, Meta(min_length=1, max_length=128)]


def _fetch_code(preflight: PreflightContext, body: ShareIn) -> Fetched:
    """Fetch WeChat's code for a new card."""
    with preflight.uow_factory.begin(read_only=True) as uow:
        planned = shares.plan_card(uow, preflight.caller.id, body.attempt_id)
    return shares.fetch_card_code(preflight.gateway.mini_program_code, planned)


@endpoint(
    SHARE_API,
    "POST",
    "/shares",
    who=Who.CITIZEN,
    body=ShareIn,
    out=ShareOut,
    status=(201,),
    errors=(NotFound, AttemptOpen),
    consent=True,
    ask=_fetch_code,
    pace=SHARE,
)
def share(uow: UnitOfWork, body: ShareIn, asked: Fetched) -> ShareOut:  # noqa: ARG001 - used by `ask`
    """Create a card of the caller's result; a repeat returns the same card. It earns nothing."""
    made = shares.create_card(uow, uow.caller_id, asked)
    return fill_from(made, ShareOut, id=made.ref)


@endpoint(
    SHARE_API,
    "GET",
    "/shares/<ref>/image.png",
    who=Who.ANYONE,
    errors=(NotFound, PosterNotReady, PictureBusy),
    media="image/png",
)
def show_poster(uow: UnitOfWork, ref: str) -> Drawing:
    """Show the poster of a card, with the mini-program code that leads back to it."""
    poster = shares.read_poster(uow, ref)
    return Drawing(
        content_name=content_name(poster),
        draw=lambda: draw_poster(poster),
        keep_seconds=_KEEP_SECONDS,
    )


@endpoint(
    SHARE_API,
    "GET",
    "/shares/<ref>/card.png",
    who=Who.ANYONE,
    errors=(NotFound, PictureBusy),
    media="image/png",
)
def show_card(uow: UnitOfWork, ref: str) -> Drawing:
    """Show the picture of a card, 5:4, with less of the result than its poster and no code."""
    card = shares.read_card(uow, ref)
    return Drawing(
        content_name=content_name(card),
        draw=lambda: drawn_card(card),
        keep_seconds=_KEEP_SECONDS,
    )


@endpoint(
    SHARE_API,
    "POST",
    "/visits",
    who=Who.CITIZEN,
    body=VisitIn,
    status=(204,),
    consent=True,
    pace=VISIT,
)
def visit(uow: UnitOfWork, body: VisitIn) -> None:
    """Record the code that opened the mini-program; once a day, only for statistics of channels."""
    shares.record_visit(uow, uow.caller_id, body.scene)
