"""Stores receipts in batches, each message's first one; applying.py moves the ledger later.

A fan-out brings a thousand receipts a second: the callback stores rows and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from sqlalchemy import select, tuple_

from server.accounts import service as accounts
from server.announcements.enums import ReceiptKind
from server.announcements.models import SendReceipt
from server.announcements.receipts.reading import (
    MASS_EVENT,
    SUBSCRIPTION_EVENT,
    TEMPLATE_EVENT,
    Report,
    read_reports,
)
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.base.web.metrics import RECEIPTS
from server.wechat.callback.inbound import AppName, Message

_log = logging.getLogger(__name__)
Key = tuple[ReceiptKind, str]


def store_reports(uow: UnitOfWork, messages: Sequence[Message]) -> None:
    """Store the receipts of these events; of several for one message the first stays.

    Raises: Unavailable (503) when one of the citizens is merged at this moment.
    Locks: the citizens, shared, in the order of their ids.
    """
    first: dict[Key, Report] = {}
    later: list[Report] = []
    for message in messages:
        for report in read_reports(message):
            if first.setdefault(report.key, report) is not report:
                later.append(report)
    if not first:
        return
    made = _insert_reports(uow, list(first.values()))
    repeated = later + [report for key, report in first.items() if key not in made]
    differing = _differing_reports(uow, repeated)
    uow.after_commit(lambda: _count_reports(made, repeated, differing))


def _insert_reports(uow: UnitOfWork, reports: list[Report]) -> set[Key]:
    owners = _lock_owners(uow, reports)
    rows = [
        {
            "kind": report.kind,
            "message_id": report.message_id,
            "citizen_id": owners.get((report.app, report.openid)),
            "word": report.word,
            "status": report.status,
            "template_id": report.template_id,
            "counts": report.counts,
            "received_at": uow.now,
            "due_at": uow.now,
        }
        for report in reports
    ]
    # In one order, so that two processes with the same receipts cannot deadlock.
    rows.sort(key=lambda row: (str(row["kind"]), str(row["message_id"])))
    fresh = insert_for(uow.session, SendReceipt).on_conflict_do_nothing(
        index_elements=["kind", "message_id"]
    )
    made = uow.session.execute(fresh.returning(SendReceipt.kind, SendReceipt.message_id), rows)
    return {(row.kind, row.message_id) for row in made}


def _lock_owners(uow: UnitOfWork, reports: list[Report]) -> dict[tuple[AppName, str], int]:
    """Return the present citizens by app and openid; an erased one has none."""
    openids: dict[AppName, set[str]] = {}
    for report in reports:
        if report.openid:
            openids.setdefault(report.app, set()).add(report.openid)
    found = {
        (app, openid): citizen_id
        for app, several in openids.items()
        for openid, citizen_id in accounts.citizens_of_openids(uow, app, several).items()
    }
    present = accounts.lock_recipients(uow, set(found.values())) if found else {}
    return {who: present[number] for who, number in found.items() if number in present}


def _differing_reports(uow: UnitOfWork, repeated: Collection[Report]) -> list[Report]:
    """The receipts that say something else than the first one of their message."""
    if not repeated:
        return []
    keys = {(report.kind, report.message_id) for report in repeated}
    rows = uow.session.execute(
        select(SendReceipt.kind, SendReceipt.message_id, SendReceipt.status).where(
            tuple_(SendReceipt.kind, SendReceipt.message_id).in_(keys)
        )
    )
    stored = {(row.kind, row.message_id): row.status for row in rows}
    return [report for report in repeated if stored.get(report.key) != report.status]


def _count_reports(
    made: set[Key], repeated: Collection[Report], differing: Collection[Report]
) -> None:
    for kind, _ in made:
        RECEIPTS.labels(kind.value, "stored").inc()
    for report in repeated:
        RECEIPTS.labels(report.kind.value, "repeated").inc()
    for report in differing:
        RECEIPTS.labels(report.kind.value, "differing").inc()
        _log.warning(
            "two receipts of one message differ; the first counts",
            extra={"path": report.kind.value, "outcome": report.status},
        )


REPORTS = tuple(
    (event, store_reports) for event in (TEMPLATE_EVENT, MASS_EVENT, SUBSCRIPTION_EVENT)
)
