"""Leaderboards in Redis: sorted sets, a cache of the database that may vanish at any moment.

A board answers only while its `ready` mark exists; otherwise the result is None and the caller uses
the database. A build sets its mark *before* reading the database, so that changes committed
meanwhile are collected in a pending hash and merged: nothing is missed, nothing newer overwritten.
The caller must retry a change that could not be stored (RedisUnavailable).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple, TypeVar, cast

from server.base.redis import leaderboard_scripts as scripts
from server.base.redis.client import Argument, RedisClient

_T = TypeVar("_T")
_LEASE_MILLISECONDS = 30_000
_LEAVINGS_SECONDS = 3600
# The mark expires first, so that a board never answers from an expired set.
_OUTLIVES_MARK_SECONDS = 60
_BATCH = 500
_LAST_MS = 9_999_999_999_999
_LAST_ENTRY = 9_999_999_999
# Where the entry begins in a member: see `_encode_member`.
_ENTRY_AT = len(str(_LAST_MS)) + 1
_MOST_SCORE = 2**53


@dataclass(frozen=True, slots=True)
class BoardStanding:
    """The result of one entry on one board.

    Units: `finish_ms` epoch milliseconds, the earlier ranks first among equal scores; `version`
    grows with every change of the entry on the board. A removed entry stays as a row with its
    version, so that an older change that arrives late cannot bring it back.
    """

    entry: int
    score: int
    finish_ms: int
    version: int
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A new standing of an entry on a board, or its removal."""

    board: str
    entry: int
    score: int
    finish_ms: int
    version: int
    removed: bool = False


class Line(NamedTuple):
    """One row of a board.  Units: `place` is the rank from 1, each used once."""

    place: int
    entry: int
    score: int


@dataclass(frozen=True, slots=True)
class Rank:
    """The rank of an entry (`place`) and its score; None when it is not on the board."""

    place: int | None
    score: int | None


@dataclass(frozen=True, slots=True)
class Ahead:
    """The number of others with a higher score, and of those with the same score."""

    better: int
    same: int


@dataclass(frozen=True, slots=True)
class View:
    """The data for one screen of a board.

    `mark` is unchanged while the first 100 ranks are unchanged; `top` is None when the caller
    already has it under this mark.
    """

    top: list[tuple[int, int]] | None
    size: int
    rank: Rank
    around: list[Line]
    mark: bytes = field(default=b"", compare=False)


class Leaderboard:
    """Boards of groups; a group is one contest and is stored on one node of a cluster.

    Every method raises RedisUnavailable; None always means that the board is not ready.
    """

    def __init__(self, kv: RedisClient) -> None:
        self._kv = kv

    def apply_changes(self, group: str, changes: Sequence[Change]) -> None:
        """Store committed changes, in any order and any number of times.

        Boards that are neither ready nor being built are skipped.
        """
        for batch in _split_batches(changes):
            boards = list(dict.fromkeys(change.board for change in batch))
            keys = [_key_of(group, part, board) for board in boards for part in "rbzhp"]
            arguments: list[Argument] = []
            for change in batch:
                arguments += (boards.index(change.board), change.entry, _encode_standing(change))
            self._kv.run_script(scripts.APPLY, keys, arguments)

    def begin_build(self, group: str, board: str) -> str | None:
        """Return the token of a new build, or None when another build is running.

        Read the database only after this call. Units: the lease is 30 s and is renewed by each
        `load_rows`.
        """
        token = secrets.token_hex(8)
        keys = [*_keys_of(group, "bpZH", board), _key_of(group, "names")]
        begun = self._kv.run_script(scripts.BEGIN, keys, [token, _LEASE_MILLISECONDS, board])
        return token if begun == 1 else None

    def load_rows(self, group: str, board: str, token: str, rows: Iterable[BoardStanding]) -> bool:
        """Add database rows to the build; False when the token is lost."""
        keys = _keys_of(group, "bZHp", board)
        for batch in _split_batches(rows):
            arguments: list[Argument] = [token, _LEASE_MILLISECONDS, _LEAVINGS_SECONDS]
            for row in batch:
                arguments += (row.entry, _encode_standing(row))
            if self._kv.run_script(scripts.LOAD, keys, arguments) != 1:
                return False
        return True

    def finish_build(self, group: str, board: str, token: str, *, expire_seconds: int = 0) -> bool:
        """Merge pending changes and make the board ready; False when the token is lost.

        Units: `expire_seconds` until the board expires, 0 for never.
        """
        keys = [*_keys_of(group, "rbzhpZH", board), _key_of(group, "names")]
        arguments: list[Argument] = [token, board, expire_seconds, _OUTLIVES_MARK_SECONDS]
        return self._kv.run_script(scripts.FINISH, keys, arguments) == 1

    def abandon_build(self, group: str, board: str, token: str) -> None:
        """End a failed build, so that another one can start immediately."""
        self._kv.run_script(scripts.ABANDON, _keys_of(group, "bpZH", board), [token])

    def read_top(self, group: str, board: str, limit: int) -> list[tuple[int, int]] | None:
        """Entries with their scores, the best first."""
        view = self.read_view(group, board, None, limit, -1)
        return None if view is None else view.top

    def read_size(self, group: str, board: str) -> int | None:
        """Number of entries on the board."""
        view = self.read_view(group, board, None, 0, -1)
        return None if view is None else view.size

    def read_rank(self, group: str, board: str, entry: int) -> Rank | None:
        """The rank of an entry; `Rank(None, None)` when it is not on the board."""
        view = self.read_view(group, board, entry, 0, -1)
        return None if view is None else view.rank

    def read_around(self, group: str, board: str, entry: int, span: int) -> list[Line] | None:
        """An entry and `span` neighbours on either side; empty when it is not on the board."""
        view = self.read_view(group, board, entry, 0, span)
        return None if view is None else view.around

    def read_view(
        self, group: str, board: str, entry: int | None, limit: int, span: int, known: bytes = b""
    ) -> View | None:
        """Top, size, an entry's rank and its neighbours, read atomically.

        Units: a `limit` of 0 reads no top, a negative `span` no neighbours; `known` is the mark of
        a cached view with the same limit, of at most 100.
        """
        arguments: list[Argument] = ["" if entry is None else entry, limit, span, known]
        reply = self._kv.run_script(scripts.VIEW, _keys_of(group, "rzh", board), arguments)
        return None if reply is None else _decode_view(cast("list[Any]", reply))

    def count_ahead(
        self, group: str, boards: Sequence[str], score: int, excluding_entry: int
    ) -> list[Ahead | None]:
        """How many others are ahead of or equal to a score on each board, read atomically."""
        keys = [key for board in boards for key in _keys_of(group, "rzh", board)]
        counts = self._kv.run_script(scripts.AHEAD, keys, [score, excluding_entry])
        found = iter(cast("list[int]", counts))
        return [
            None if better < 0 else Ahead(better, same)
            for better, same in zip(found, found, strict=True)
        ]

    def drop_group(self, group: str) -> None:
        """Delete the boards and marks of a group; running builds are cancelled."""
        names = cast("list[bytes]", self._kv.run_command("SMEMBERS", _key_of(group, "names")))
        for batch in _split_batches(names):
            boards = [name.decode() for name in batch]
            self._kv.run_pipeline(
                [("UNLINK", *_keys_of(group, "rbzhpZH", board)) for board in boards]
            )
        self._kv.run_command("UNLINK", _key_of(group, "names"), _key_of(group, "marks"))

    def store_mark(self, group: str, name: str, value: str | int) -> None:
        """Store how far the caller has synchronised the changes of a group."""
        self._kv.run_command("HSET", _key_of(group, "marks"), name, value)

    def read_mark(self, group: str, name: str) -> str | None:
        """The stored value, None after Redis lost its data."""
        value = cast("bytes | None", self._kv.run_command("HGET", _key_of(group, "marks"), name))
        return None if value is None else value.decode()


def _key_of(group: str, part: str, board: str = "") -> str:
    if "{" in group or "}" in group:
        raise ValueError(f"no name for a group: {group}")
    return f"board:{{{group}}}:{part}:{board}"


@lru_cache(512)
def _keys_of(group: str, parts: str, board: str) -> tuple[str, ...]:
    """r ready, b building, z zset, h hash, p pending; Z and H are those being built."""
    return tuple(_key_of(group, part, board) for part in parts)


def _encode_standing(of: BoardStanding | Change) -> str:
    if not 0 <= of.version <= _MOST_SCORE:
        raise ValueError(f"no version: {of.version}")
    if of.removed:
        return f"{of.version}::"
    return f"{of.version}:{of.score}:{_encode_member(of)}"


def _encode_member(of: BoardStanding | Change) -> str:
    """The member's text; in reverse order the earlier finish comes first, then the smaller id.

    The sorted set orders equal scores by it.
    """
    if abs(of.score) > _MOST_SCORE:
        raise ValueError(f"a score that Redis cannot hold exactly: {of.score}")
    if not (0 <= of.finish_ms <= _LAST_MS and 0 <= of.entry <= _LAST_ENTRY):
        raise ValueError(f"no entry or no finish: {of.entry}, {of.finish_ms}")
    return f"{_LAST_MS - of.finish_ms:013d}:{_LAST_ENTRY - of.entry:010d}"


def _decode_view(reply: list[Any]) -> View:
    mark, size, top, placed, score, first, around = reply
    return View(
        top=None if top is None else _decode_pairs(top),
        size=size,
        rank=Rank(None, None) if placed < 0 else Rank(placed + 1, _decode_number(score)),
        around=[
            Line(at, entry, points)
            for at, (entry, points) in enumerate(_decode_pairs(around), start=first + 1)
        ],
        mark=mark,
    )


def _decode_pairs(reply: list[bytes]) -> list[tuple[int, int]]:
    flat = iter(reply)
    return [
        # Redis writes large numbers with an exponent.
        (_LAST_ENTRY - int(m[_ENTRY_AT:]), int(s) if s.isdigit() else _decode_number(s))
        for m, s in zip(flat, flat, strict=True)
    ]


def _decode_number(score: bytes) -> int:
    try:
        return int(score)
    except ValueError:
        return int(float(score))


def _split_batches(rows: Iterable[_T]) -> Iterator[list[_T]]:
    """Batches small enough to be processed within a client's timeout."""
    ahead = iter(rows)
    while batch := list(islice(ahead, _BATCH)):
        yield batch
