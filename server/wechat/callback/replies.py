"""Immediate replies to a citizen: text, one article, or a transfer to customer service.

The wording comes from the slices; this module makes it safe for WeChat's XML and limits.
"""

from __future__ import annotations

import json
from typing import Literal, Self

import msgspec

from server.wechat.callback.documents import FORBIDDEN

TEXT_LIMIT_BYTES = 2048


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """The single article of a news reply."""

    title: str
    description: str = ""
    url: str = ""
    picture_url: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reply without an openid, so that it can be cached anywhere.

    `text` is the text of a text reply, or the JSON of the self-test's response.
    """

    kind: Literal["nothing", "text", "article", "transfer", "json"] = "nothing"
    text: str = ""
    article: Article | None = None

    @classmethod
    def of_text(cls, text: str) -> Self:
        """A text reply; no reply when the text is empty.

        Units: cut to 2048 bytes at a character boundary.
        """
        cleaned = _clean_text(text)
        whole = cleaned.encode()
        if len(whole) > TEXT_LIMIT_BYTES:
            cleaned = whole[:TEXT_LIMIT_BYTES].decode("utf-8", "ignore")
        return cls(kind="text", text=cleaned) if cleaned.strip() else cls()

    @classmethod
    def of_article(cls, article: Article) -> Self:
        """An article with a picture and a link."""
        return cls(kind="article", article=article)

    @classmethod
    def of_transfer(cls) -> Self:
        """Transfer the conversation to human customer service."""
        return cls(kind="transfer")

    @classmethod
    def of_json(cls, members: dict[str, str]) -> Self:
        """The response to WeChat's own self-test, the only one that may be JSON."""
        return cls(kind="json", text=json.dumps(members, ensure_ascii=False))

    @property
    def says_something(self) -> bool:
        """Whether the citizen sees a reply."""
        return self.kind != "nothing"

    def to_bytes(self) -> bytes:
        """Serialise the reply for a cache."""
        return msgspec.json.encode(self)

    @classmethod
    def from_bytes(cls, remembered: bytes) -> Reply:
        """Parse a cached reply.

        Raises: ValueError when it is invalid.
        """
        return _READ.decode(remembered)

    def to_document(self, openid: str, account: str, created_at: int, form: str) -> bytes | None:
        """The unencrypted body for one citizen; None without a reply.

        `form` is the message's format. A citizen's message gets an XML reply even if it was
        JSON, because WeChat shows an error otherwise.
        """
        if self.kind == "json":
            return self.text.encode() if form == "json" else None
        inside = self._inner_xml()
        if inside is None:
            return None
        return (
            f"<xml><ToUserName>{_cdata_section(openid)}</ToUserName>"
            f"<FromUserName>{_cdata_section(account)}</FromUserName>"
            f"<CreateTime>{created_at}</CreateTime>{inside}</xml>"
        ).encode()

    def _inner_xml(self) -> str | None:
        if self.kind == "text":
            return (
                f"<MsgType><![CDATA[text]]></MsgType><Content>{_cdata_section(self.text)}</Content>"
            )
        if self.kind == "transfer":
            return "<MsgType><![CDATA[transfer_customer_service]]></MsgType>"
        if self.kind == "article" and self.article is not None:
            return _news_xml(self.article)
        return None


_READ = msgspec.json.Decoder(Reply)


def sealed_document(
    encrypted: str, signed: str, timestamp: str, nonce: str, is_json: bool
) -> bytes:
    """The outer document of an encrypted reply.

    Source: message push, "encrypted replies".
    """
    if is_json:
        return msgspec.json.encode(
            {
                "Encrypt": encrypted,
                "MsgSignature": signed,
                "TimeStamp": int(timestamp),
                "Nonce": nonce,
            }
        )
    return (
        f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt>"
        f"<MsgSignature><![CDATA[{signed}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{_cdata_section(nonce)}</Nonce></xml>"
    ).encode()


def _news_xml(article: Article) -> str:
    return (
        "<MsgType><![CDATA[news]]></MsgType><ArticleCount>1</ArticleCount><Articles><item>"
        f"<Title>{_cdata_section(article.title)}</Title>"
        f"<Description>{_cdata_section(article.description)}</Description>"
        f"<PicUrl>{_cdata_section(article.picture_url)}</PicUrl>"
        f"<Url>{_cdata_section(article.url)}</Url></item></Articles>"
    )


def _clean_text(text: str) -> str:
    return FORBIDDEN.sub("", text)


def _cdata_section(text: str) -> str:
    return "<![CDATA[" + _clean_text(text).replace("]]>", "]]]]><![CDATA[>") + "]]>"
