"""The preview: the bytes that would be sent, with marks instead of the address."""

from __future__ import annotations

from server.announcements.compose.rendering import (
    Rendered,
    RenderedArticle,
    RenderedNote,
    address_letter,
)
from server.announcements.enums import Channel
from server.wechat.letter_calls import call_of
from server.wechat.transport import encode_body

# Shown instead of the openid and of the id under which WeChat recognises a repeated call.
OPENID_MARK, ID_MARK = "OPENID", "CLIENTMSGID"


def payload_bytes(rendered: Rendered, channel: Channel, appid: str) -> bytes:
    """The body of the call to WeChat, byte for byte; empty for what is not sent person by person.

    Only the openid and the client message id are replaced by marks. `appid` is that of the
    mini-program.
    """
    if isinstance(rendered, RenderedArticle | RenderedNote):
        return b""
    letter = address_letter(rendered, channel, OPENID_MARK, ID_MARK)
    return encode_body(call_of(letter, appid).body or {})
