"""Push grants and inbox for the mini-program."""

from __future__ import annotations

from server.base.rate_limits import CHANGE
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, endpoint
from server.base.web.schema import Page, PageQuery, fill_from
from server.notices import service
from server.notices.schemas import InboxItem, SubscriptionsIn, SubscriptionsOut

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


@endpoint(API, "GET", "/me/inbox", who=Who.CITIZEN, query=PageQuery, out=Page[InboxItem])
def list_inbox(uow: UnitOfWork, query: PageQuery) -> Page[InboxItem]:
    """Every message addressed to the caller, pushed or not, newest first."""
    rows, following = service.list_messages(
        uow, uow.caller_id, limit=query.limit, after=query.after
    )
    items = [fill_from(row, InboxItem, id=row.ref) for row in rows]
    return Page(items=items, next=following)
