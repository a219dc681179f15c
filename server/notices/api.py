"""Push grants and inbox for the mini-program."""

from __future__ import annotations

from server.base.rate_limits import CHANGE
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, endpoint
from server.base.web.schema import PageQuery, fill_from
from server.notices import service
from server.notices.errors import NoSuchMessage
from server.notices.schemas import InboxItem, InboxOut, SubscriptionsIn, SubscriptionsOut

API = Api("notices")


@endpoint(
    API,
    "POST",
    "/me/subscriptions",
    who=Who.CITIZEN,
    body=SubscriptionsIn,
    out=SubscriptionsOut,
    consent=True,
    pace=CHANGE,
)
def record_subscriptions(uow: UnitOfWork, body: SubscriptionsIn) -> SubscriptionsOut:
    """Record the citizen's choices on the subscription sheet."""
    left = service.record_client_results(uow, uow.caller_id, body.results)
    return SubscriptionsOut(remaining=service.keep_sent_templates(uow, left))


@endpoint(API, "GET", "/me/subscriptions", who=Who.CITIZEN, out=SubscriptionsOut)
def show_subscriptions(uow: UnitOfWork) -> SubscriptionsOut:
    """Show how many messages may still be pushed, by template id; only templates that are sent."""
    left = service.remaining_grants(uow, uow.caller_id)
    return SubscriptionsOut(remaining=service.keep_sent_templates(uow, left))


@endpoint(API, "GET", "/me/inbox", who=Who.CITIZEN, query=PageQuery, out=InboxOut)
def list_inbox(uow: UnitOfWork, query: PageQuery) -> InboxOut:
    """Every message addressed to the caller, pushed or not, newest first."""
    shown, following = service.list_messages(
        uow, uow.caller_id, limit=query.limit, after=query.after
    )
    return InboxOut(
        items=[fill_from(one, InboxItem, id=one.ref) for one in shown],
        next=following,
        unread=service.count_unread(uow, uow.caller_id),
    )


@endpoint(API, "GET", "/me/inbox/<ref>", who=Who.CITIZEN, out=InboxItem, errors=(NoSuchMessage,))
def show_message(uow: UnitOfWork, ref: str) -> InboxItem:
    """Show one message of the caller's inbox."""
    shown = service.find_message(uow, uow.caller_id, ref)
    return fill_from(shown, InboxItem, id=shown.ref)


@endpoint(
    API,
    "POST",
    "/me/inbox/<ref>/read",
    who=Who.CITIZEN,
    status=(204,),
    errors=(NoSuchMessage,),
    pace=CHANGE,
)
def read_message(uow: UnitOfWork, ref: str) -> None:
    """Record that the caller opened a message."""
    service.mark_read(uow, uow.caller_id, ref)


@endpoint(API, "POST", "/me/inbox/read", who=Who.CITIZEN, status=(204,), pace=CHANGE)
def read_all_messages(uow: UnitOfWork) -> None:
    """Record that the caller has seen all messages."""
    service.mark_read(uow, uow.caller_id, None)
