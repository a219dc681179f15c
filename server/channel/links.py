"""Pages of the mini-program in what the account says: `[words](page)` in a sentence opens a page.

A sentence knows no appid: the settings do, and it is put in when the sentence is spoken. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from server.base.settings import WeChat
from server.channel import rules

# As app.json writes a page, with at most one value behind it. Phones read the link as XML, so an
# `&` would make it plain words again.
_PAGE = r"[0-9A-Za-z_-]+(?:/[0-9A-Za-z_-]+)+"
_ADDRESS = re.compile(rf"({_PAGE})(?:\?[0-9A-Za-z_]+=[0-9A-Za-z_.~%-]*)?")
_LINK = re.compile(r"\[([^\[\]\n]+)\]\(([^()\s]*)\)")
_MARKS = str.maketrans("<>[]", "＜＞［］")


@dataclass(frozen=True, kw_only=True)
class Program:
    """The mini-program that the account leads into.

    Units: `instead` is the address for phones too old to open a page, `pages` are app.json's.
    """

    appid: str
    instead: str
    pages: frozenset[str]

    @classmethod
    def of(cls, wechat: WeChat, pages: frozenset[str]) -> Program:
        """The mini-program of the settings."""
        return cls(appid=wechat.mini_program.appid, instead=wechat.old_phone_url, pages=pages)

    def spoken(self, sentence: str) -> str:
        """A sentence with its links as WeChat takes them.

        A link that leads nowhere becomes its words, and so do all of them where there is no room:
        a text that WeChat cuts ends in the middle of a link.
        Source: "Send customer service messages", text links that open a mini-program.
        """
        if "](" not in sentence:
            return sentence
        linked = _LINK.sub(self._link, sentence)
        return linked if rules.fits(linked) else _LINK.sub(r"\1", sentence)

    def _link(self, found: re.Match[str]) -> str:
        words, address = found.groups()
        if not self.appid or fault(address, self.pages):
            return words
        return (
            f'<a href="{self.instead}" data-miniprogram-appid="{self.appid}" '
            f'data-miniprogram-path="{address}">{words}</a>'
        )


def fault(address: object, pages: frozenset[str]) -> str | None:
    """What is wrong with a page's address; None when the page is there."""
    found = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if found is None:
        return f"{address!r} is no page as app.json writes it, with one value at most"
    return None if found[1] in pages else f"app.json has no page {found[1]}"


def pages_linked(sentence: str) -> list[str]:
    """Every page that a sentence opens, in order."""
    return [address for _words, address in _LINK.findall(sentence)]


def plain_words(name: str) -> str:
    """What a person wrote, as words that can become no link."""
    return name.translate(_MARKS)
