"""The steps that moved tables onto the outbox: no row is lost, up or down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from server.base.sql.schema import migrate_database
from tests.kit.databases import new_postgres

_T, _LATER = "'2026-05-01 04:00:00+00:00'", "'2026-05-01 05:00:00+00:00'"
_CITIZEN = (
    "INSERT INTO citizen (id, ref, nickname_state, language, elder_mode, public_rank, topics, "
    f"created_at) VALUES (1, 'cit_1', 'none', 'zh', FALSE, FALSE, '[]', {_T})"
)


def _late(key: int, state: str, claimed_at: str, reason: str) -> str:
    return (
        "INSERT INTO late_reply (key, citizen_id, text, state, reason, made_at, due_at, claimed_at,"
        f" tries) VALUES ('k{key}', 1, 't', '{state}', {reason}, {_T}, {_LATER}, {claimed_at}, 3)"
    )


def _push(key: int, state: str, claimed_at: str, reason: str) -> str:
    return (
        "INSERT INTO push (citizen_id, key, template_id, page, fields, state, reason, due_at, "
        "expires_at, claimed_at, grant_id, message_id, tries, made_at) VALUES "
        f"(1, 'k{key}', 't', 'p', '{{}}', '{state}', {reason}, {_T}, {_LATER}, {claimed_at}, "
        f"NULL, NULL, 1, {_T})"
    )


def _follower(asking: str, count: int) -> str:
    return (
        "INSERT INTO follower (citizen_id, subscribed, state_at, last_event_at, asking, ask_at, "
        f"ask_count) VALUES (1, TRUE, {_T}, {_T}, '{asking}', {_LATER}, {count})"
    )


def _avatar(name: int, state: str, ask_after: str) -> str:
    return (
        "INSERT INTO avatar (name, citizen_id, state, ask_after, made_at) "
        f"VALUES ('ava_{name}', 1, '{state}', {ask_after}, {_T})"
    )


def _upload(take_after: str, tries: int) -> str:
    return (
        "INSERT INTO picture_upload (ref, citizen_id, tries, take_after, given_at) "
        f"VALUES ('upl_1_of_before', 1, {tries}, {take_after}, {_T})"
    )


CASES: dict[str, tuple[str, str, str, list[str], list[str | None]]] = {
    "late replies": (
        "0017",
        "0018",
        "late_reply",
        [
            _late(1, "queued", "NULL", "NULL"),
            _late(2, "claimed", _T, "NULL"),
            _late(3, "said", "NULL", "NULL"),
            _late(4, "refused", "NULL", "'gone:45015'"),
            _late(5, "unknown", "NULL", "'worker_lost'"),
        ],
        ["queued", "claimed", "done", "given_up", "in_doubt"],
    ),
    "pushes": (
        "0018",
        "0019",
        "push",
        [
            _push(1, "queued", "NULL", "NULL"),
            _push(2, "claimed", _T, "NULL"),
            _push(3, "sent", "NULL", "NULL"),
            _push(4, "refused", "NULL", "'no_grant'"),
            _push(5, "unknown", "NULL", "'in_doubt'"),
        ],
        ["queued", "claimed", "done", "given_up", "in_doubt"],
    ),
    "a unionid that is wanted": ("0019", "0020", "follower", [_follower("wanted", 2)], ["queued"]),
    "a unionid being asked for": (
        "0019",
        "0020",
        "follower",
        [_follower("claimed", 2)],
        ["claimed"],
    ),
    "a unionid that is known": ("0019", "0020", "follower", [_follower("known", 0)], ["done"]),
    "a unionid that was not told": ("0019", "0020", "follower", [_follower("none", 0)], [None]),
    "pictures": (
        "0021",
        "0022",
        "avatar",
        [_avatar(1, "waiting", _LATER), _avatar(2, "asked", _LATER), _avatar(3, "shown", _T)],
        ["queued", None, None],
    ),
    "a file that waits": ("0022", "0023", "picture_upload", [_upload(_LATER, 1)], ["queued"]),
    "a file that cannot be read": (
        "0022",
        "0023",
        "picture_upload",
        [_upload("NULL", 0)],
        ["given_up"],
    ),
    "nicknames": (
        "0023",
        "0024",
        "citizen",
        [
            "UPDATE citizen SET nickname_state = 'checking', pending_nickname = 'x', "
            f"pending_since = {_T}, check_after = {_LATER}"
        ],
        ["queued"],
    ),
}


@pytest.fixture
def engine(database_kind: str, tmp_path: Path) -> Iterator[Engine]:
    sqlite = f"sqlite:///{tmp_path / 'm.sqlite3'}"
    made = create_engine(sqlite if database_kind == "sqlite" else new_postgres("outbox_steps"))
    yield made
    made.dispose()


def rows(engine: Engine, table: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        found = connection.execute(text(f"SELECT * FROM {table} ORDER BY id"))
        return [dict(row._mapping) for row in found]


@pytest.mark.race
@pytest.mark.parametrize("case", CASES)
def test_rows_keep_their_place_in_the_queue(engine: Engine, case: str) -> None:
    before, after, table, statements, states = CASES[case]
    migrate_database(engine, before)
    with engine.begin() as connection:
        for statement in (_CITIZEN, *statements):
            connection.execute(text(statement.replace(":", "\\:")))
    stored = rows(engine, table)
    migrate_database(engine, after)
    assert [row["outbox_state"] for row in rows(engine, table)] == states
    assert all(
        row["outbox_due_at"] is not None and row["outbox_since"] is not None
        for row in rows(engine, table)
        if row["outbox_state"] == "queued"
    )
    migrate_database(engine, before)
    assert rows(engine, table) == stored
