"""A backup taken between approval and send, and restored afterwards, reaches nobody again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from server.accounts.models import Citizen
from server.announcements.ledger.queue import QUEUE
from server.announcements.watching.progress import read_progress
from server.base.jobs import TaskContext
from server.base.restored_backup import drop_calls
from server.base.sql.tables import Base
from server.base.uow import UnitOfWorkFactory
from server.slices import watch_all_queues
from tests.kit.sends import HeardWeChat, a_send, some_followers, states_of, work_until_idle

TOPIC = "lectures"


@pytest.fixture
def wechat(tmp_path: Path) -> HeardWeChat:
    return HeardWeChat(tmp_path / "heard")


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, wechat: HeardWeChat) -> TaskContext:
    return TaskContext(uow_factory=uow_factory, gateway=wechat)


def begin(context: TaskContext, count: int) -> int:
    with context.uow_factory.begin() as uow:
        people = some_followers(uow, count)
        uow.session.execute(update(Citizen).values(topics=[TOPIC]))
        return a_send(uow, people, topic=TOPIC).id


def test_a_restored_ledger_reaches_nobody_a_second_time(
    context: TaskContext, wechat: HeardWeChat
) -> None:
    """A backup taken after the approval, everything sent, and the backup restored."""
    sent = begin(context, 20)
    watch_all_queues(context)
    backup = copy_tables(context)
    work_until_idle(context)
    assert sorted(wechat.inbox().values()) == [1] * 20
    watch_all_queues(context)
    put_back_tables(context, backup)
    assert watch_all_queues(context) == 20
    work_until_idle(context)
    assert sorted(wechat.inbox().values()) == [1] * 20
    assert states_of(context.uow_factory, sent) == {"queued": 20}
    with context.uow_factory.begin(read_only=True) as uow:
        assert read_progress(uow, sent).held == 20
    with context.uow_factory.begin() as uow:
        assert drop_calls(uow, QUEUE) == 20
    work_until_idle(context)
    assert sorted(wechat.inbox().values()) == [1] * 20
    assert states_of(context.uow_factory, sent) == {"unknown": 20}


def copy_tables(context: TaskContext) -> list[tuple[Any, list[dict[str, Any]]]]:
    with context.uow_factory.begin(read_only=True) as uow:
        return [
            (table, [dict(row) for row in uow.session.execute(select(table)).mappings()])
            for table in Base.metadata.sorted_tables
        ]


def put_back_tables(context: TaskContext, backup: list[tuple[Any, list[dict[str, Any]]]]) -> None:
    filled = {table.name for table, rows in copy_tables(context) if rows}
    with context.uow_factory.begin() as uow:
        for table, _rows in reversed(backup):
            if table.name in filled:
                uow.session.execute(delete(table))
        for table, rows in backup:
            if rows:
                uow.session.execute(insert(table), rows)
