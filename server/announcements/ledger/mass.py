"""Mass calls: each with one id, under which WeChat refuses a second one for a day.

So a call without an answer is repeated with the same id: "already sent" then means success.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select, update

from server.accounts import service as accounts
from server.announcements.compose.content import load_content
from server.announcements.compose.pictures import announcement_picture_of
from server.announcements.compose.rendering import (
    RenderedArticle,
    finish_article,
    render_letter,
)
from server.announcements.enums import AnnouncementState, Channel, RecipientState, TryState
from server.announcements.ledger.claiming import CANCELLED
from server.announcements.ledger.control import stop_sending
from server.announcements.ledger.mass_planning import FEWEST, TOO_FEW
from server.announcements.ledger.outcomes import Stop, find_stop
from server.announcements.ledger.quotas import pause_channels
from server.announcements.models import Announcement, MassBatch, Recipient, SendTry
from server.announcements.rules.placeholders import Person
from server.base.jobs import TaskContext
from server.base.outbox_rows import (
    DROPPED,
    Backoff,
    Done,
    GiveUp,
    InDoubt,
    Lost,
    OutboxState,
    Outcome,
    PutOff,
    Queue,
    Retry,
)
from server.base.uow import UnitOfWork
from server.wechat.errors import AlreadySent, QuotaSpent, WeChatError
from server.wechat.letters import MassSend
from server.wechat.retries import NOT_DONE, asked_pause, reason_of

TASK = "announcements.send_mass"
# WeChat keeps the id of a call for a day; the rest is for clocks.
_REPEATED_FOR = timedelta(hours=20)
_PAUSED_REST = timedelta(seconds=30)
_NO_COVER = "no_cover"
_NO_SYNC = {"synchronize_session": False}


@dataclass(frozen=True, kw_only=True)
class MassCall:
    """One call: the recipients, the article, and its draft at WeChat when there is one."""

    batch_id: int
    announcement_id: int
    openids: tuple[str, ...] = field(repr=False)
    client_msg_id: str
    media_id: str | None
    article: RenderedArticle
    picture: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class NotExecuted(Retry):
    """WeChat certainly did not execute the call."""


def _prepare_call(uow: UnitOfWork, batch: MassBatch) -> MassCall | Outcome:
    announcement = uow.session.get_one(Announcement, batch.announcement_id, populate_existing=True)
    if announcement.state is AnnouncementState.CANCELLED:
        return GiveUp(reason=CANCELLED)
    if batch.outbox_tries and not timedelta(0) <= uow.now - batch.made_at < _REPEATED_FOR:
        return InDoubt(reason="too_old")
    if announcement.state is not AnnouncementState.SENDING:
        return PutOff(until=uow.now + _PAUSED_REST)
    openids = _read_openids(uow, batch)
    if len(openids) < FEWEST:
        return GiveUp(reason=TOO_FEW)
    article = render_letter(load_content(uow, announcement), Channel.MASS, Person())
    if not isinstance(article, RenderedArticle):
        raise TypeError("a mass message is an article")
    picture = announcement.picture and announcement_picture_of(uow, announcement.picture)
    return MassCall(
        batch_id=batch.id,
        announcement_id=announcement.id,
        openids=openids,
        client_msg_id=batch.client_msg_id,
        media_id=batch.media_id,
        article=article,
        picture=picture or b"",
    )


def _read_openids(uow: UnitOfWork, batch: MassBatch) -> tuple[str, ...]:
    """The addresses of the recipients who are still there, in the order of their rows."""
    rows = uow.session.scalars(
        select(Recipient.citizen_id)
        .join(SendTry, SendTry.recipient_id == Recipient.id)
        .where(SendTry.mass_batch_id == batch.id, Recipient.state == RecipientState.CLAIMED)
        .order_by(Recipient.id)
    ).all()
    openids = accounts.openids_of(uow, rows, "official_account")
    return tuple(openids[one] for one in rows if one in openids)


def _make_call(context: TaskContext, call: MassCall) -> Outcome:
    if not call.picture:
        stop = Stop(reason="content_refused", detail=_NO_COVER)
        return _stop_announcement(context, call, stop, _NO_COVER)
    try:
        media_id = call.media_id or _make_draft(context, call)
        accepted = context.gateway.send_mass(
            MassSend(openids=call.openids, media_id=media_id, client_msg_id=call.client_msg_id)
        )
    except AlreadySent as known:
        return Done(result=known.message_id)
    except WeChatError as trouble:
        return _judge_trouble(context, call, trouble)
    return Done(result=accepted.msg_id)


def _make_draft(context: TaskContext, call: MassCall) -> str:
    """Upload the cover and the article; the draft is kept for a repeat of the call."""
    gateway = context.gateway
    cover = gateway.upload_picture(call.picture, "cover.jpg")
    address = gateway.upload_article_picture(call.picture, "picture.jpg")
    media_id: str = gateway.add_draft(finish_article(call.article, cover.media_id, address))
    with context.uow_factory.begin() as uow:
        uow.session.execute(
            update(MassBatch)
            .where(MassBatch.id == call.batch_id, MassBatch.media_id.is_(None))
            .values(media_id=media_id)
        )
    return media_id


def _judge_trouble(context: TaskContext, call: MassCall, trouble: WeChatError) -> Outcome:
    """Every failure is repeated with the same id; some wait for a person or for midnight."""
    stop = find_stop(trouble)
    if stop is not None:
        return _stop_announcement(context, call, stop, reason_of(trouble))
    if isinstance(trouble, QuotaSpent):
        with context.uow_factory.begin() as uow:
            pause_channels(uow, [Channel.MASS])
    now = context.uow_factory.dependencies.clock.now()
    kind = NotExecuted if isinstance(trouble, NOT_DONE) else Retry
    return kind(reason=reason_of(trouble), after=asked_pause(trouble, now))


def _stop_announcement(context: TaskContext, call: MassCall, stop: Stop, reason: str) -> Outcome:
    with context.uow_factory.begin() as uow:
        stop_sending(uow, call.announcement_id, stop)
    return NotExecuted(reason=reason)


def _settle_call(uow: UnitOfWork, batch: MassBatch, outcome: Outcome) -> None:
    """Give all recipients of a batch the outcome of its call."""
    match outcome:
        case Done(result=message_id):
            batch.message_id = message_id or None
            _settle_rows(uow, batch, (RecipientState.SENT, TryState.ACCEPTED), None)
        case NotExecuted() if batch.outbox_tries == 1:
            # Nothing happened so far: the age of the batch does not matter, nor is it in doubt.
            batch.outbox_tries = 0
        case GiveUp(reason=reason) if batch.outbox_tries == 0 and reason == CANCELLED:
            _settle_rows(uow, batch, (RecipientState.CANCELLED, TryState.REFUSED), reason)
        case GiveUp(reason=reason) if batch.outbox_tries == 0 and reason != DROPPED:
            _settle_rows(uow, batch, (RecipientState.REFUSED, TryState.REFUSED), reason)
        case GiveUp(reason=reason) | InDoubt(reason=reason):
            # An earlier call may have been executed, or one after the backup that was restored.
            batch.outbox_state = OutboxState.IN_DOUBT
            _settle_rows(uow, batch, (RecipientState.UNKNOWN, TryState.UNKNOWN), reason)


def _settle_rows(
    uow: UnitOfWork,
    batch: MassBatch,
    states: tuple[RecipientState, TryState],
    reason: str | None,
) -> None:
    of_row, of_try = states
    tries = SendTry.mass_batch_id == batch.id
    mine = select(SendTry.recipient_id).where(tries)
    uow.session.execute(
        update(Recipient)
        .where(Recipient.id.in_(mine), Recipient.state == RecipientState.CLAIMED)
        .values(state=of_row, reason=reason, settled_at=uow.now)
        .execution_options(**_NO_SYNC)
    )
    uow.session.execute(
        update(SendTry)
        .where(tries, SendTry.state == TryState.CLAIMED)
        .values(state=of_try, message_id=batch.message_id, reason=reason, settled_at=uow.now)
        .execution_options(**_NO_SYNC)
    )


QUEUE = Queue(
    name="mass_messages",
    task=TASK,
    table=MassBatch,
    prepare=_prepare_call,
    send=_make_call,
    settle=_settle_call,
    # The call is repeated under its id, also after a worker was killed in it.
    lost=Lost.QUEUED,
    lease=timedelta(seconds=120),
    batch=5,
    backoff=Backoff(first=timedelta(seconds=5), most=timedelta(seconds=300)),
)
