"""The emulator's storage: one SQLite file behind one lock, committed before each response.

Contains no rules; the rules read and write rows inside `open_transaction()`.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS people (
  id INTEGER PRIMARY KEY, person TEXT UNIQUE NOT NULL, name TEXT NOT NULL,
  openid_oa TEXT UNIQUE NOT NULL, openid_mp TEXT UNIQUE NOT NULL, unionid TEXT NOT NULL,
  phone TEXT NOT NULL, subscribed INTEGER NOT NULL DEFAULT 0, subscribe_time INTEGER,
  subscribe_scene TEXT, qr_scene TEXT NOT NULL DEFAULT '', session_key TEXT,
  last_access REAL, blocks INTEGER NOT NULL DEFAULT 0, risky INTEGER NOT NULL DEFAULT 0,
  minor INTEGER NOT NULL DEFAULT 0, bound INTEGER NOT NULL DEFAULT 1,
  closed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS tokens (
  value TEXT PRIMARY KEY, appid TEXT NOT NULL, kind TEXT NOT NULL, issued REAL NOT NULL,
  expires REAL NOT NULL, superseded_at REAL, dead INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS tokens_of_app ON tokens (appid, kind, issued);
CREATE TABLE IF NOT EXISTS codes (
  code TEXT PRIMARY KEY, kind TEXT NOT NULL, person TEXT NOT NULL, session_key TEXT,
  expires REAL NOT NULL, used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS scenes (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, scene TEXT NOT NULL, ticket TEXT UNIQUE NOT NULL,
  page TEXT NOT NULL, url TEXT NOT NULL, issued REAL NOT NULL, expires REAL);
CREATE TABLE IF NOT EXISTS grants (
  openid TEXT NOT NULL, template_id TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (openid, template_id));
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, openid TEXT NOT NULL, direction TEXT NOT NULL,
  via TEXT NOT NULL, kind TEXT NOT NULL, content TEXT NOT NULL, extra TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS messages_of_openid ON messages (openid, id);
CREATE TABLE IF NOT EXISTS windows (
  openid TEXT NOT NULL, kind TEXT NOT NULL, until REAL NOT NULL, remaining INTEGER NOT NULL,
  PRIMARY KEY (openid, kind));
CREATE TABLE IF NOT EXISTS calls (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, path TEXT NOT NULL, method TEXT NOT NULL,
  appid TEXT, status INTEGER NOT NULL, errcode INTEGER, failing INTEGER NOT NULL,
  request TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS calls_of_path ON calls (path, id);
CREATE TABLE IF NOT EXISTS callbacks (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, app TEXT NOT NULL, url TEXT NOT NULL,
  what TEXT NOT NULL, attempt INTEGER NOT NULL, status INTEGER, ms INTEGER NOT NULL,
  verdict TEXT NOT NULL, plain TEXT NOT NULL, sent TEXT NOT NULL, answer TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS usage (
  appid TEXT NOT NULL, path TEXT NOT NULL, period TEXT NOT NULL, used INTEGER NOT NULL,
  PRIMARY KEY (appid, path, period));
CREATE TABLE IF NOT EXISTS choices (
  person TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (person, name));
CREATE TABLE IF NOT EXISTS groups (
  id INTEGER PRIMARY KEY, word TEXT UNIQUE NOT NULL, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS members (
  word TEXT NOT NULL, person TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (word, person));
CREATE INDEX IF NOT EXISTS members_of_person ON members (person);
CREATE TABLE IF NOT EXISTS posts (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, sender TEXT NOT NULL,
  place TEXT NOT NULL, target TEXT NOT NULL, content TEXT NOT NULL, path TEXT NOT NULL,
  image TEXT NOT NULL, with_ticket INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS posts_of_target ON posts (target, id);
CREATE TABLE IF NOT EXISTS media (
  media_id TEXT PRIMARY KEY, appid TEXT NOT NULL, kind TEXT NOT NULL, mime TEXT NOT NULL,
  content BLOB NOT NULL, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sends (
  openid TEXT NOT NULL, client_id TEXT NOT NULL, msgid INTEGER NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (openid, client_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS materials (
  media_id TEXT PRIMARY KEY, kind TEXT NOT NULL, mime TEXT NOT NULL, name TEXT NOT NULL,
  content BLOB NOT NULL, url TEXT NOT NULL, updated REAL NOT NULL);
CREATE TABLE IF NOT EXISTS drafts (
  media_id TEXT PRIMARY KEY, articles TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL);
CREATE TABLE IF NOT EXISTS mass_jobs (
  msg_id INTEGER PRIMARY KEY, data_id INTEGER NOT NULL, client_id TEXT, at REAL NOT NULL,
  month TEXT NOT NULL, state TEXT NOT NULL, kind TEXT NOT NULL, content TEXT NOT NULL,
  articles TEXT NOT NULL, draft TEXT NOT NULL, openids TEXT, done_at REAL NOT NULL,
  deleted TEXT NOT NULL, counts TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS mass_jobs_of_client ON mass_jobs (client_id);
CREATE TABLE IF NOT EXISTS mass_received (
  openid TEXT NOT NULL, month TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (openid, month)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
TABLES = [
    "people",
    "tokens",
    "codes",
    "scenes",
    "grants",
    "messages",
    "windows",
    "calls",
    "callbacks",
    "usage",
    "choices",
    "groups",
    "members",
    "posts",
    "media",
    "sends",
    "materials",
    "drafts",
    "mass_jobs",
    "mass_received",
    "facts",
]
# Columns that files of earlier versions lack.
ADDED = {"people": {"bound": "INTEGER NOT NULL DEFAULT 1", "closed": "INTEGER NOT NULL DEFAULT 0"}}


class Store:
    """One connection for all threads; the owner may enter `open_transaction()` again.

    Locks: one re-entrant lock around every statement and every transaction.
    """

    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)
        self._add_missing_columns()

    def _add_missing_columns(self) -> None:
        for table, columns in ADDED.items():
            present = {row["name"] for row in self._db.execute(f"PRAGMA table_info({table})")}
            for name, kind in columns.items():
                if name not in present:
                    self._db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")

    @contextmanager
    def open_transaction(self) -> Iterator[None]:
        """Run the block as one transaction, one thread at a time; commit before leaving it."""
        with self._lock:
            self._begin_transaction()
            try:
                yield
            except BaseException:
                self._end_transaction("ROLLBACK")
                raise
            self._end_transaction("COMMIT")

    def _begin_transaction(self) -> None:
        if self._depth == 0:
            self._db.execute("BEGIN IMMEDIATE")
        self._depth += 1

    def _end_transaction(self, word: str) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._db.execute(word)

    def run_sql(self, sql: str, *values: object) -> int:
        """Execute one statement; return the number of changed rows."""
        with self._lock:
            return self._db.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Execute one statement for each row."""
        with self._lock:
            self._db.executemany(sql, rows)

    def insert_row(self, table: str, **row: object) -> int:
        """Insert a row; return its id."""
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - names are ours
        with self._lock:
            number = self._db.execute(sql, tuple(row.values())).lastrowid
        return int(number or 0)

    def first_row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """Return the first row, or None."""
        with self._lock:
            found: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
            return found

    def all_rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Return every row."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def select_number(self, sql: str, *values: object) -> int:
        """Return the single number that the query selects."""
        row = self.first_row(sql, *values)
        return int(row[0] or 0) if row is not None else 0

    def read_fact(self, name: str) -> Any:
        """Return a stored JSON value, or None."""
        row = self.first_row("SELECT value FROM facts WHERE name = ?", name)
        return None if row is None else json.loads(row["value"])

    def store_fact(self, name: str, value: Any) -> None:
        """Store a JSON value under a name; None deletes it."""
        if value is None:
            self.run_sql("DELETE FROM facts WHERE name = ?", name)
            return
        text = json.dumps(value, ensure_ascii=False)
        self.run_sql("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", name, text)

    def delete_all(self) -> None:
        """Delete all data."""
        with self.open_transaction():
            for table in TABLES:
                self.run_sql(f"DELETE FROM {table}")  # noqa: S608 - names are ours

    def close_file(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
