"""Links to the mini-program in the account's texts: `[words](page)` opens a page.

Texts contain no appid; it is added from the settings when a text is sent. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from server.base.settings import WeChat
from server.channel import rules

# A page as in app.json, with at most one query parameter. Phones parse the link as XML, so an `&`
# would turn it into plain text.
_PAGE = r"[0-9A-Za-z_-]+(?:/[0-9A-Za-z_-]+)+"
_ADDRESS = re.compile(rf"({_PAGE})(?:\?[0-9A-Za-z_]+=[0-9A-Za-z_.~%-]*)?")
_LINK = re.compile(r"\[([^\[\]\n]+)\]\(([^()\s]*)\)")
# How much a link grows by WeChat's markup. Units: bytes of UTF-8.
LINK_BYTES = 200
_MARKS = str.maketrans("<>[]", "＜＞［］")


@dataclass(frozen=True, kw_only=True)
class Program:
    """The mini-program that the account links to.

    `instead` is the address for phones too old to open a page; `pages` are those of app.json.
    """

    appid: str
    instead: str
    pages: frozenset[str]

    @classmethod
    def from_settings(cls, wechat: WeChat, pages: frozenset[str]) -> Program:
        """Build it from the settings."""
        return cls(appid=wechat.mini_program.appid, instead=wechat.old_phone_url, pages=pages)

    def link_pages(self, sentence: str) -> str:
        """Convert a text's links to WeChat's format.

        A link to an unknown page becomes plain words. So do all links when the text would be too
        long, because WeChat would cut it in the middle of a link.
        Source: "Send customer service messages", text links that open a mini-program.
        """
        if "](" not in sentence:
            return sentence
        linked = _LINK.sub(self._link_page, sentence)
        return linked if rules.fits_reply(linked) else _LINK.sub(r"\1", sentence)

    def _link_page(self, found: re.Match[str]) -> str:
        words, address = found.groups()
        if not self.appid or address_fault(address, self.pages):
            return words
        return (
            f'<a href="{self.instead}" data-miniprogram-appid="{self.appid}" '
            f'data-miniprogram-path="{address}">{words}</a>'
        )


def address_fault(address: object, pages: frozenset[str]) -> str | None:
    """The fault of a page's address; None when the page exists."""
    found = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if found is None:
        return f"{address!r} is no page as app.json writes it, with one value at most"
    return None if found[1] in pages else f"app.json has no page {found[1]}"


def pages_linked(sentence: str) -> list[str]:
    """Every page linked in a text, in order."""
    return [address for _words, address in _LINK.findall(sentence)]


def plain_words(name: str) -> str:
    """Text of a user, changed so that it cannot become a link."""
    return name.translate(_MARKS)


def fit_lines(lines: Sequence[str], last: Sequence[str] = ()) -> str:
    """Join lines within WeChat's limit: lines that do not fit are dropped, `last` is kept."""
    kept = list(lines)
    while _size_in_wechat("\n".join([*kept, *last])) > rules.TEXT_LIMIT_BYTES:
        kept.pop()
    return "\n".join([*kept, *last])


def _size_in_wechat(words: str) -> int:
    return len(words.encode()) + LINK_BYTES * len(pages_linked(words))
