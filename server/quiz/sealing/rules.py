"""The signed bytes of final ranks: the rank file and its document. Uses no database."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

FORMAT = "bagui-kepu final ranks 1"
# The previous document of the first version.
GENESIS = "0" * 64


class RankLine(NamedTuple):
    """One line of the rank file. `entry` is a keyed hash, so that no line names a person.

    Units: `points` as standings count them, `time_ms` milliseconds; codes of places, the public id
    of a unit.
    """

    rank: int
    entry: str
    points: int
    time_ms: int
    reached_at: datetime
    city: str | None
    county: str | None
    unit: str | None
    audience: str | None
    division: str | None


HEADING = f"{','.join(RankLine._fields)}\n".encode()


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The signed document: a version, and the hashes of its rank file and the previous document.

    The reason is a hash, because an organizer may write a person's name into it. `author` is the
    public id of an organizer, or `system`; `open_cases` are the holds undecided at the sealing.
    """

    format: str
    contest: str
    number: int
    made_at: str
    author: str
    reason_sha256: str
    rules_version: str
    points_scale: int
    rank_count: int
    open_cases: list[str]
    file_sha256: str
    previous_sha256: str


def spell_lines(lines: Iterable[RankLine]) -> bytes:
    """Lines of the rank file: CSV, UTF-8, line feeds, instants in UTC with milliseconds."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\n")
    for line in lines:
        writer.writerow(line._replace(reached_at=spell_instant(line.reached_at)))  # type: ignore[arg-type] # now a text
    return made.getvalue().encode()


def spell_instant(instant: datetime) -> str:
    """An instant in UTC with milliseconds."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def spell_document(document: Document) -> bytes:
    """Canonical JSON: sorted keys, no spaces."""
    return msgspec.json.encode(document, order="sorted")


def read_document(raw: bytes) -> dict[str, Any]:
    """The fields of a stored document; empty for changed bytes that are no JSON object."""
    try:
        fields = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}


def hash_bytes(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def first_difference(one: bytes, other: bytes) -> int | None:
    """The offset of the first byte in which two texts differ; None when they are equal."""
    if one == other:
        return None
    shorter = min(len(one), len(other))
    return next((at for at in range(shorter) if one[at] != other[at]), shorter)


class ScopeCounter:
    """Counts the rank within each scope while entries are read in the order of their ranks."""

    def __init__(self) -> None:
        self._counted: dict[tuple[str, object], int] = {}

    def count_places(self, scopes: Sequence[tuple[str, object]]) -> list[int | None]:
        """Count the next entry; return its rank in each of its scopes, None without the scope."""
        places: list[int | None] = []
        for scope in scopes:
            if scope[1] is None:
                places.append(None)
                continue
            self._counted[scope] = self._counted.get(scope, 0) + 1
            places.append(self._counted[scope])
        return places
