"""The texts of a pack: a short one for microblogs and a long one. Pure."""

from __future__ import annotations

from collections.abc import Callable

from server.announcements.publishing.publication import Publication
from server.base.characters import split_characters

Say = Callable[..., str]

# A microblog shows this much of a text without a tap. Units: as `count_for_microblog`.
MOST_SHORT = 140
# Facts of an activity in the short text: time and venue.
_SHORT_FACTS = 2
_CUT = "…"


def count_for_microblog(text: str) -> int:
    """The length as microblogs count it: two half-width characters are one, rounded up."""
    halves = sum(1 if ord(one) < 0x100 else 2 for one in text)
    return (halves + 1) // 2


def write_short(publication: Publication, link: str) -> str:
    """Title, time and venue, as much of the text as fits, and the link, in one paragraph.

    An empty link is left out.
    """
    head = f"【{publication.title}】{publication.notice}"
    facts = [value for _, value in publication.facts[:_SHORT_FACTS]]
    text = "，".join([*facts, *publication.body.split()])
    tail = link and f" {link}"
    room = MOST_SHORT - count_for_microblog(head) - count_for_microblog(tail)
    return f"{head}{_cut_text(text, room)}{tail}"


def write_long(publication: Publication, link: str, say: Say) -> str:
    """Write the whole text with its facts, the link and the publisher, in paragraphs.

    An empty link is left out.
    """
    facts = [f"{name}：{value}" for name, value in publication.facts]
    return "\n\n".join(
        part
        for part in (
            publication.title,
            publication.notice,
            "\n".join(facts),
            publication.body,
            link and say("announcements.pack.more_at", link=link),
            say("announcements.pack.published_by", place=publication.place),
        )
        if part
    )


def _cut_text(text: str, room: int) -> str:
    """The beginning of a text that fits, with a mark where it is cut."""
    if count_for_microblog(text) <= room:
        return text
    kept = ""
    for one in split_characters(text):
        if count_for_microblog(kept + one + _CUT) > room:
            break
        kept += one
    return kept and kept + _CUT
