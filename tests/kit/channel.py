"""Messages of citizens, and the official account's handler with distinguishable answers."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import delete, select

from server.accounts import service as accounts
from server.accounts.models import Citizen, Identity
from server.base.access import REGION
from server.base.clock import SystemClock
from server.base.errors import Conflict
from server.base.ownership import owned_by
from server.base.settings import WeChatApp
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import models
from server.channel.callback_handler import (
    CallbackHandler,
    Events,
    Handler,
    official_account_handler,
)
from server.channel.chat import LiveAnswer
from server.channel.contacts import Contacts
from server.channel.loading import read_shipped
from server.channel.rule_stats import RuleStats
from server.wechat.callback.inbound import Envelope, Message, key_of
from tests.kit.accounts import a_citizen

OPENID = "oFollower_of_the_tests_00001"
NOON = 1777608000  # 2026-05-01 12:00 in Beijing, the time of the tests' clock
_numbers = itertools.count(1)

TABLES = (
    models.SceneVisit,
    models.Follower,
    models.FollowerSweep,
    models.SeenMessage,
    models.LateReply,
    models.UnmatchedText,
    models.KeywordRule,
    models.SceneReply,
    models.KeywordVersion,
    models.SceneCode,
)


class NotToday(Conflict):
    """A refusal for tests, with a code that has a text."""

    code = "consent_required"


def _whose(name: str) -> LiveAnswer:
    def answer(_work: UnitOfWork, citizen_id: int | None) -> str:
        return f"{name} for {'somebody' if citizen_id is None else 'a citizen'}"

    return answer


ANSWERS = {name: _whose(name) for name in sorted(read_shipped().answer_names())}


def a_message(
    kind: str = "text",
    content: str = "",
    *,
    event: str = "",
    event_key: str = "",
    openid: str = OPENID,
    created_at: int = NOON,
    msg_id: str | None = None,
    app: Any = "official_account",
) -> Message:
    """A verified and parsed message, with another id at each call."""
    number = msg_id or str(next(_numbers))
    scene = event_key if event == "scan" else event_key.removeprefix("qrscene_")
    told_apart = (openid, str(created_at), event, event_key, "" if event else number)
    key = key_of(app, "wx0", kind, openid, *told_apart)
    return Message(
        app=app,
        kind=kind,
        event=event,
        openid=openid,
        account="gh_tests",
        created_at=created_at,
        msg_id="" if event else number,
        event_key=event_key,
        scene=scene if event in ("scan", "subscribe") else "",
        content=content,
        fields={},
        key=key,
        replay_key=key,
        digest=key,
        form="xml",
        encrypted=False,
        nonce="1",
    )


def an_event(name: str, key: str = "", **told: Any) -> Message:
    """An event of a follower."""
    return a_message("event", event=name, event_key=key, **told)


def a_player(uow_factory: UnitOfWorkFactory, openid: str = OPENID) -> int:
    """A citizen who has used the mini-program, with an identity at the official account too."""
    with uow_factory.begin() as uow:
        person = a_citizen(uow, unionid=f"union of {openid}")
        return accounts.learn_unionid(uow, "official_account", openid, person.unionid or "")


def a_handler(
    uow_factory: UnitOfWorkFactory,
    *,
    answers: dict[str, LiveAnswer] | None = None,
    handlers: Iterable[Handler] = (),
    rule_stats: RuleStats | None = None,
    contacts: Contacts | None = None,
) -> CallbackHandler:
    """The official account's handler; counts and contacts are written when a test flushes them."""
    app = WeChatApp(appid="wx0", token="token7token7", mode="plain")
    return official_account_handler(
        uow_factory,
        Envelope("official_account", app, SystemClock()),
        answers={**ANSWERS, **(answers or {})},
        events=Events(handlers=handlers),
        rule_stats=rule_stats or RuleStats(uow_factory, flush_seconds=None),
        contacts=contacts or Contacts(uow_factory, flush_seconds=None),
    )


def said(handler: CallbackHandler, message: Message) -> str:
    """The reply of the account, requested as the webhook does."""
    reply = handler.reply_without_effects(message)
    return (handler.apply_effects(message) if reply is None else reply).text


def rows(uow_factory: UnitOfWorkFactory, table: Any) -> list[Any]:
    """All rows of a table, in the order of their keys."""
    with uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(select(table).order_by(*table.__table__.primary_key)))


def a_rule(uow: UnitOfWork, slug: str, words: list[str], **columns: Any) -> models.KeywordRule:
    """A keyword rule; columns are named as in the table."""
    given: dict[str, Any] = {
        "mode": models.Mode.EXACT,
        "priority": 10,
        "text": None if "answer" in columns else f"text of {slug}",
        "state": models.RuleState.ON,
        "edited": True,
        **owned_by(REGION),
        **columns,
    }
    row = models.KeywordRule(slug=slug, words=words, **given)
    uow.session.add(row)
    return row


def everything(uow_factory: UnitOfWorkFactory) -> dict[str, list[tuple[Any, ...]]]:
    """The content of the official account's tables, without row ids.

    What was said is left out: a reply tells what was known at its moment.
    """
    hidden = ("id", "citizen_id", "reply")
    found = {}
    with uow_factory.begin(read_only=True) as uow:
        for table in TABLES:
            names = [c.name for c in table.__table__.c if c.name not in hidden]
            columns = [table.__table__.c[name] for name in names]
            found[table.__tablename__] = sorted(
                tuple(str(value) for value in row) for row in uow.session.execute(select(*columns))
            )
        found["identity"] = sorted(
            tuple(row) for row in uow.session.execute(select(Identity.openid, Identity.app))
        )
    return found


def empty(uow_factory: UnitOfWorkFactory) -> None:
    """Delete all rows, as in a new database."""
    with uow_factory.begin() as uow:
        for table in (*TABLES, Identity, Citizen):
            uow.session.execute(delete(table))


def at_once(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """The results of calls that start at the same time, each in its own thread."""
    waiting = list(calls)
    barrier = threading.Barrier(len(waiting))
    results: list[Any] = [None] * len(waiting)
    troubles: list[BaseException] = []

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = waiting[place]()
        except BaseException as trouble:
            troubles.append(trouble)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(waiting))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if troubles:
        raise troubles[0]
    return results
