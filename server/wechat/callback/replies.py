"""What we answer a citizen with at once: text, one article, or a hand-over to customer service.

Wording is the slices' matter; here it is only made safe for WeChat's XML and its limits.
"""

from __future__ import annotations

import json
from typing import Literal, Self

import msgspec

from server.wechat.callback.documents import FORBIDDEN

TEXT_LIMIT_BYTES = 2048


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """The one card of a news reply."""

    title: str
    description: str = ""
    url: str = ""
    picture_url: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer in our words; it holds no openid, so it may be remembered anywhere.

    Units: `text` is the sentence of a text reply, or the JSON of a self-test's answer.
    """

    kind: Literal["nothing", "text", "article", "transfer", "json"] = "nothing"
    text: str = ""
    article: Article | None = None

    @classmethod
    def of_text(cls, text: str) -> Self:
        """A sentence; nothing at all when it is empty.

        Units: cut to 2048 bytes at the border of a character.
        """
        cleaned = _clean(text)
        whole = cleaned.encode()
        if len(whole) > TEXT_LIMIT_BYTES:
            cleaned = whole[:TEXT_LIMIT_BYTES].decode("utf-8", "ignore")
        return cls(kind="text", text=cleaned) if cleaned.strip() else cls()

    @classmethod
    def of_article(cls, article: Article) -> Self:
        """One card with a picture and a link."""
        return cls(kind="article", article=article)

    @classmethod
    def transfer(cls) -> Self:
        """Hand the conversation over to human customer service."""
        return cls(kind="transfer")

    @classmethod
    def of_json(cls, members: dict[str, str]) -> Self:
        """The answer to WeChat's own self-test, the one that may be JSON."""
        return cls(kind="json", text=json.dumps(members, ensure_ascii=False))

    @property
    def says_something(self) -> bool:
        """Whether the citizen gets to see anything."""
        return self.kind != "nothing"

    def to_bytes(self) -> bytes:
        """The reply as it is remembered."""
        return msgspec.json.encode(self)

    @classmethod
    def from_bytes(cls, remembered: bytes) -> Reply:
        """The reply that was remembered.

        Raises: ValueError when it is none.
        """
        return _READ.decode(remembered)

    def document(self, openid: str, account: str, created_at: int, form: str) -> bytes | None:
        """The unencrypted body for one citizen; None when there is nothing to say.

        Units: `form` is that of the message. A citizen's message is answered in XML even when it
        came as JSON: WeChat shows a failure otherwise.
        """
        if self.kind == "json":
            return self.text.encode() if form == "json" else None
        inside = self._inside()
        if inside is None:
            return None
        return (
            f"<xml><ToUserName>{_cdata(openid)}</ToUserName>"
            f"<FromUserName>{_cdata(account)}</FromUserName>"
            f"<CreateTime>{created_at}</CreateTime>{inside}</xml>"
        ).encode()

    def _inside(self) -> str | None:
        if self.kind == "text":
            return f"<MsgType><![CDATA[text]]></MsgType><Content>{_cdata(self.text)}</Content>"
        if self.kind == "transfer":
            return "<MsgType><![CDATA[transfer_customer_service]]></MsgType>"
        if self.kind == "article" and self.article is not None:
            return _news(self.article)
        return None


_READ = msgspec.json.Decoder(Reply)


def sealed_document(
    encrypted: str, signed: str, timestamp: str, nonce: str, is_json: bool
) -> bytes:
    """The outside of an encrypted reply.

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
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{_cdata(nonce)}</Nonce></xml>"
    ).encode()


def _news(article: Article) -> str:
    return (
        "<MsgType><![CDATA[news]]></MsgType><ArticleCount>1</ArticleCount><Articles><item>"
        f"<Title>{_cdata(article.title)}</Title>"
        f"<Description>{_cdata(article.description)}</Description>"
        f"<PicUrl>{_cdata(article.picture_url)}</PicUrl>"
        f"<Url>{_cdata(article.url)}</Url></item></Articles>"
    )


def _clean(text: str) -> str:
    return FORBIDDEN.sub("", text)


def _cdata(text: str) -> str:
    return "<![CDATA[" + _clean(text).replace("]]>", "]]]]><![CDATA[>") + "]]>"
