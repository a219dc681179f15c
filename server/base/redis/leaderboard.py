"""Ranks in constant time: sorted sets that are a cache of the database and may vanish any moment.

A board answers only while its `ready` mark stands; else the answer is None and the caller asks
the database. Who builds sets a mark *before* reading the database, so that what is committed
meanwhile lands in a pending hash and is merged: nothing is missed, nothing newer overwritten.
A change that could not be brought here (RedisUnavailable) is the caller's to bring later.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar, cast

from server.base.redis import leaderboard_scripts as scripts
from server.base.redis.client import Argument, RedisClient, Reply

_T = TypeVar("_T")
_LEASE_MILLISECONDS = 30_000
_LEAVINGS_SECONDS = 3600
# The mark goes first, so that a board never answers from a set that has expired.
_OUTLIVES_MARK_SECONDS = 60
_BATCH = 500
_LAST_MS = 9_999_999_999_999
_LAST_ENTRY = 9_999_999_999
_MOST_SCORE = 2**53


@dataclass(frozen=True, slots=True)
class Standing:
    """What one entry has reached on one board.

    Units: `finish_ms` epoch milliseconds, the earlier ranks first among equal scores; `version`
    grows with every change of the entry on the board. A removed entry is worth a row where the
    database still has it: its version keeps a late older change from bringing it back.
    """

    entry: int
    score: int
    finish_ms: int
    version: int
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A standing that an entry has come to on a board, or its removal from it."""

    board: str
    entry: int
    score: int
    finish_ms: int
    version: int
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One place on a board.  Units: `place` from 1, every place given once."""

    place: int
    entry: int
    score: int


@dataclass(frozen=True, slots=True)
class Rank:
    """Where an entry stands; no place and no score when it is not on the board."""

    place: int | None
    score: int | None


@dataclass(frozen=True, slots=True)
class Ahead:
    """How many others have more than a score, and how many have the very same."""

    better: int
    same: int


@dataclass(frozen=True, slots=True)
class View:
    """What one screen shows of a board.

    Units: `mark` stays the same as long as nothing moves on the first 100 places; `top` is None
    when the asker has it by this mark.
    """

    top: list[tuple[int, int]] | None
    size: int
    rank: Rank
    around: list[Line]
    mark: bytes = field(default=b"", compare=False)


class Leaderboard:
    """Boards of groups; a group is one contest and lies on one node of a cluster.

    Every method raises RedisUnavailable; None always means that the board is not ready.
    """

    def __init__(self, kv: RedisClient) -> None:
        self._kv = kv

    def apply(self, group: str, changes: Sequence[Change]) -> None:
        """Bring committed changes, in any order and as often as one likes.

        Boards that are neither ready nor being built are not touched.
        """
        for batch in _batches(changes):
            boards = list(dict.fromkeys(change.board for change in batch))
            keys = [_key(group, part, board) for board in boards for part in "rbzhp"]
            arguments: list[Argument] = []
            for change in batch:
                arguments += (boards.index(change.board), change.entry, _standing(change))
            self._kv.eval(scripts.APPLY, keys, arguments)

    def begin_build(self, group: str, board: str) -> str | None:
        """The token of a build that may now read the database, None when another one runs.

        Units: the lease is 30 s and begins anew with each `load`.
        """
        token = secrets.token_hex(8)
        keys = [*_keys(group, "bpZH", board), _key(group, "names")]
        begun = self._kv.eval(scripts.BEGIN, keys, [token, _LEASE_MILLISECONDS, board])
        return token if begun == 1 else None

    def load(self, group: str, board: str, token: str, rows: Iterable[Standing]) -> bool:
        """Put rows of the database into the build; False when the token is lost."""
        keys = _keys(group, "bZHp", board)
        for batch in _batches(rows):
            arguments: list[Argument] = [token, _LEASE_MILLISECONDS, _LEAVINGS_SECONDS]
            for row in batch:
                arguments += (row.entry, _standing(row))
            if self._kv.eval(scripts.LOAD, keys, arguments) != 1:
                return False
        return True

    def finish_build(self, group: str, board: str, token: str, *, expire_seconds: int = 0) -> bool:
        """Merge what came meanwhile and open the board; False when the token is lost.

        Units: `expire_seconds` until the board is given up, 0 for never.
        """
        keys = [*_keys(group, "rbzhpZH", board), _key(group, "names")]
        arguments: list[Argument] = [token, board, expire_seconds, _OUTLIVES_MARK_SECONDS]
        return self._kv.eval(scripts.FINISH, keys, arguments) == 1

    def abandon_build(self, group: str, board: str, token: str) -> None:
        """Let another build begin at once, after this one has failed."""
        self._kv.eval(scripts.ABANDON, _keys(group, "bpZH", board), [token])

    def top(self, group: str, board: str, limit: int) -> list[tuple[int, int]] | None:
        """Entries with their scores, the best first."""
        view = self.view(group, board, None, limit, -1)
        return None if view is None else view.top

    def size(self, group: str, board: str) -> int | None:
        """How many entries are on the board."""
        view = self.view(group, board, None, 0, -1)
        return None if view is None else view.size

    def rank(self, group: str, board: str, entry: int) -> Rank | None:
        """Where an entry stands; `Rank(None, None)` when it is not on the board."""
        view = self.view(group, board, entry, 0, -1)
        return None if view is None else view.rank

    def around(self, group: str, board: str, entry: int, span: int) -> list[Line] | None:
        """The places of an entry and of `span` others on either side, none if it has no place."""
        view = self.view(group, board, entry, 0, span)
        return None if view is None else view.around

    def view(
        self, group: str, board: str, entry: int | None, limit: int, span: int, known: bytes = b""
    ) -> View | None:
        """Top, size, an entry's rank and its neighbours, all of one moment.

        Units: a `limit` of 0 asks for no top, a `span` under 0 for no neighbours; `known` is the
        mark of a view with the same limit, of at most 100, whose top is still at hand.
        """
        arguments: list[Argument] = ["" if entry is None else entry, limit, span, known]
        reply = self._kv.eval(scripts.VIEW, _keys(group, "rzh", board), arguments)
        return None if reply is None else _view(cast("list[Reply]", reply))

    def ahead(
        self, group: str, boards: Sequence[str], score: int, excluding_entry: int
    ) -> list[Ahead | None]:
        """How many others are before or beside a score on each board, all of one moment."""
        keys = [key for board in boards for key in _keys(group, "rzh", board)]
        counts = self._kv.eval(scripts.AHEAD, keys, [score, excluding_entry])
        found = iter(cast("list[int]", counts))
        return [
            None if better < 0 else Ahead(better, same)
            for better, same in zip(found, found, strict=True)
        ]

    def drop(self, group: str) -> None:
        """Forget the boards and marks of a group; running builds of it are lost."""
        names = cast("list[bytes]", self._kv.run("SMEMBERS", _key(group, "names")))
        for batch in _batches(names):
            boards = [name.decode() for name in batch]
            self._kv.pipeline([("UNLINK", *_keys(group, "rbzhpZH", board)) for board in boards])
        self._kv.run("UNLINK", _key(group, "names"), _key(group, "marks"))

    def mark(self, group: str, name: str, value: str | int) -> None:
        """Note how far the caller has brought the changes of a group."""
        self._kv.run("HSET", _key(group, "marks"), name, value)

    def read_mark(self, group: str, name: str) -> str | None:
        """What was noted, None after everything here was lost."""
        value = cast("bytes | None", self._kv.run("HGET", _key(group, "marks"), name))
        return None if value is None else value.decode()


def _key(group: str, part: str, board: str = "") -> str:
    if "{" in group or "}" in group:
        raise ValueError(f"no name for a group: {group}")
    return f"board:{{{group}}}:{part}:{board}"


def _keys(group: str, parts: str, board: str) -> list[str]:
    """r ready, b building, z zset, h hash, p pending, Z and H those that are being built."""
    return [_key(group, part, board) for part in parts]


def _standing(of: Standing | Change) -> str:
    if not 0 <= of.version <= _MOST_SCORE:
        raise ValueError(f"no version: {of.version}")
    if of.removed:
        return f"{of.version}::"
    return f"{of.version}:{of.score}:{_member(of)}"


def _member(of: Standing | Change) -> str:
    """Text whose reverse order is: earlier finish first, then the smaller entry.

    The set orders equal scores by it.
    """
    if abs(of.score) > _MOST_SCORE:
        raise ValueError(f"a score that Redis cannot hold exactly: {of.score}")
    if not (0 <= of.finish_ms <= _LAST_MS and 0 <= of.entry <= _LAST_ENTRY):
        raise ValueError(f"no entry or no finish: {of.entry}, {of.finish_ms}")
    return f"{_LAST_MS - of.finish_ms:013d}:{_LAST_ENTRY - of.entry:010d}"


def _view(reply: list[Reply]) -> View:
    mark, size, top, place, score, first, around = reply
    placed = cast(int, place)
    lines = enumerate(_pairs(around), start=cast(int, first) + 1)
    return View(
        top=None if top is None else _pairs(top),
        size=cast(int, size),
        rank=Rank(None, None) if placed < 0 else Rank(placed + 1, _number(score)),
        around=[Line(at, entry, points) for at, (entry, points) in lines],
        mark=cast(bytes, mark),
    )


def _pairs(reply: Reply) -> list[tuple[int, int]]:
    flat = iter(cast("list[bytes]", reply))
    return [
        (_LAST_ENTRY - int(member.partition(b":")[2]), _number(score))
        for member, score in zip(flat, flat, strict=True)
    ]


def _number(score: Reply) -> int:
    text = cast(bytes, score)
    return int(text) if text.lstrip(b"-").isdigit() else int(float(text))


def _batches(rows: Iterable[_T]) -> Iterator[list[_T]]:
    """Pieces that Redis works off well within a client's patience."""
    ahead = iter(rows)
    while batch := list(islice(ahead, _BATCH)):
        yield batch
