"""The topics of announcements, from the data file that profile, announcements and phone share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from server.base.settings import ROOT

SCHEMA = "topics/1"
_FILE = ROOT / "config" / "topics.json"


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A topic; `programmes` are the slugs of the campaign's programmes that belong to it."""

    slug: str
    name: str
    programmes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _TopicFile:
    schema: str
    notes: tuple[str, ...]
    topics: tuple[Topic, ...]


_READ = msgspec.json.Decoder(_TopicFile)


@cache
def announcement_topics() -> tuple[Topic, ...]:
    """All topics in the order in which they are shown, read once."""
    return read_topics(_FILE)


def find_topic(slug: str) -> Topic | None:
    """The topic with this slug, or None."""
    return next((one for one in announcement_topics() if one.slug == slug), None)


def read_topics(path: Path) -> tuple[Topic, ...]:
    """Read the topics of a data file.

    Raises: ValueError for an invalid file, or a slug, name or programme that comes twice.
    """
    try:
        document = _READ.decode(path.read_bytes())
    except msgspec.MsgspecError as trouble:
        raise ValueError(f"{path.name}: {trouble}") from None
    if document.schema != SCHEMA:
        raise ValueError(f"{path.name}: the schema is not {SCHEMA}")
    topics = document.topics
    for words in (
        [one.slug for one in topics],
        [one.name for one in topics],
        [slug for one in topics for slug in one.programmes],
    ):
        if len(set(words)) != len(words):
            raise ValueError(f"{path.name}: a slug, a name or a programme comes twice")
    return topics
