"""Verifies and parses WeChat's pushes to a `Message`, and encrypts the reply.

No web framework, no storage, no effects: the result depends only on the request and the clock.
Source: wechat message push, "receive messages and events", "message encryption".
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, Protocol

import msgspec

from server.base.clock import Clock
from server.base.errors import BodyTooLarge, Malformed
from server.wechat.callback.crypto import PREFIX_BYTES, Cipher, equal_signatures, sign_parts
from server.wechat.callback.documents import Fields, Value, read_document, read_encrypted
from server.wechat.callback.replies import Reply, sealed_document
from server.wechat.errors import SignatureRefused, StaleTimestamp

LIMIT_BYTES = 64 * 1024
AppName = Literal["official_account", "mini_program"]

_TIMESTAMP = re.compile(r"[0-9]{10}")
_NONCE = re.compile(r"[0-9A-Za-z_-]{1,128}")
# WeChat adds message types and events: an unknown one is answered, never refused.
_NAME = re.compile(r".{1,128}", re.DOTALL)
_PERSON = re.compile(r"[\x21-\x7e]{1,128}")
_SECONDS = re.compile(r"[0-9]{1,12}")
_MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,128}")
_QR_PREFIX = "qrscene_"
# Sent in the platform's name: the citizen is in a separate field, which can be missing.
_ABOUT_SOMEBODY = frozenset(
    {"user_info_modified", "user_authorization_revoke", "user_authorization_cancellation"}
)
_TELLING_APART = frozenset({"MsgID", "MsgId", "TemplateId", "trace_id", "RevokeInfo", "PluginID"})


class InboundApp(Protocol):
    """The settings of one WeChat app that its callback needs."""

    @property
    def appid(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def aes_key(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def original_id(self) -> str: ...


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message or event, verified and parsed.

    Units: `created_at` epoch seconds; `scene` the scene of a followed or scanned code, else empty;
    `key` is equal for every repeat of the same push and of no other (see `key_of`); `replay_key` is
    equal for every request with the same signature; `digest` is the hash of the decrypted content.
    """

    app: AppName
    kind: str
    event: str
    openid: str
    account: str
    created_at: int
    msg_id: str
    event_key: str
    scene: str
    content: str
    fields: Fields
    key: str
    replay_key: str
    digest: str
    form: str
    encrypted: bool
    nonce: str

    def __repr__(self) -> str:
        """Without a person's data, which could otherwise reach a log."""
        return f"Message(app={self.app!r}, kind={self.kind!r}, event={self.event!r})"


class Envelope:
    """The callback protocol of one app: decrypts requests and encrypts replies.

    `clock` is the system clock, even when the campaign's clock is shifted.
    """

    def __init__(
        self,
        name: AppName,
        app: InboundApp,
        clock: Clock,
        *,
        window_seconds: int = 600,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        if not app.token:
            raise ValueError("a callback without a token can be signed by anybody")
        if app.mode not in ("plain", "compatible", "safe"):
            raise ValueError("the mode of a callback is plain, compatible or safe")
        self._name: AppName = name
        self._app = app
        self._clock = clock
        self._window = window_seconds
        self._random_bytes = random_bytes
        needs_key = bool(app.aes_key) or app.mode != "plain"
        self._cipher = Cipher(app.aes_key, app.appid) if needs_key else None

    @property
    def window_seconds(self) -> int:
        """The maximum difference of a timestamp, in either direction."""
        return self._window

    def check_address(self, query: Mapping[str, str]) -> str:
        """The echostr of WeChat's URL verification, unchanged.

        Raises: SignatureRefused (403), StaleTimestamp (403), Malformed (400) without an echo.
        """
        self._check_signature(query)
        if "echostr" not in query:
            raise Malformed
        return query["echostr"]

    def open_message(self, query: Mapping[str, str], body: bytes) -> Message:
        """Verify, decrypt and parse the message of a request.

        Raises: SignatureRefused (403), StaleTimestamp (403), BodyTooLarge (413), Malformed (400).
        """
        if len(body) > LIMIT_BYTES:
            raise BodyTooLarge
        self._check_signature(query)
        claims_encryption = query.get("encrypt_type", "") == "aes"
        encrypted = claims_encryption or self._app.mode != "plain"
        # An unencrypted push to an account that expects encryption is a downgrade attack.
        if encrypted and (not claims_encryption or self._cipher is None):
            raise SignatureRefused
        plain = self._decrypt_body(query, body) if encrypted else body
        return self._read_message(query, plain, encrypted)

    def seal_reply(self, message: Message, reply: Reply) -> bytes:
        """The response body for a message, encrypted when the message was.

        Without a reply it is `success`, never encrypted.
        """
        document = reply.to_document(
            message.openid, message.account, message.created_at, message.form
        )
        if document is None:
            return b"success"
        if not message.encrypted or self._cipher is None:
            return document
        encrypted = self._cipher.encrypt_message(document, self._random_bytes(PREFIX_BYTES))
        timestamp = str(int(self._clock.now().timestamp()))
        signed = sign_parts(self._app.token, timestamp, message.nonce, encrypted)
        return sealed_document(encrypted, signed, timestamp, message.nonce, document[:1] == b"{")

    def _check_signature(self, query: Mapping[str, str]) -> None:
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not _NONCE.fullmatch(nonce):
            raise SignatureRefused
        ours = sign_parts(self._app.token, timestamp, nonce)
        if not equal_signatures(ours, query.get("signature", "")):
            raise SignatureRefused
        # Exactly ten digits, because moving digits between timestamp and nonce keeps the signature
        # valid.
        if not _TIMESTAMP.fullmatch(timestamp):
            raise StaleTimestamp
        if abs(self._clock.now().timestamp() - int(timestamp)) > self._window:
            raise StaleTimestamp

    def _decrypt_body(self, query: Mapping[str, str], body: bytes) -> bytes:
        encrypted = read_encrypted(body)
        if not isinstance(encrypted, str) or not encrypted:
            raise SignatureRefused
        ours = sign_parts(self._app.token, query["timestamp"], query["nonce"], encrypted)
        if not equal_signatures(ours, query.get("msg_signature", "")) or self._cipher is None:
            raise SignatureRefused
        return self._cipher.decrypt_message(encrypted)

    def _read_message(self, query: Mapping[str, str], plain: bytes, encrypted: bool) -> Message:
        fields, form = read_document(plain)
        account = _required_text(fields, "ToUserName", _PERSON)
        if self._app.original_id and not equal_signatures(self._app.original_id, account):
            raise SignatureRefused
        kind = _required_text(fields, "MsgType", _NAME).lower()
        event = _required_text(fields, "Event", _NAME).lower() if kind == "event" else ""
        sender = _required_text(fields, "FromUserName", _PERSON)
        named = event in _ABOUT_SOMEBODY and bool(fields.get("OpenID"))
        about = _required_text(fields, "OpenID", _PERSON) if named else sender
        created = _required_text(fields, "CreateTime", _SECONDS)
        msg_id = _required_text(fields, "MsgId", _MESSAGE_ID) if fields.get("MsgId") else ""
        event_key, content = _optional_text(fields, "EventKey"), _optional_text(fields, "Content")
        told_apart = (event, event_key, msg_id or content, *_distinguishing_ids(fields))
        return Message(
            app=self._name,
            kind=kind,
            event=event,
            openid=about,
            account=account,
            created_at=int(created),
            msg_id=msg_id,
            event_key=event_key,
            scene=_scene_of(event, event_key),
            content=content,
            fields=fields,
            key=key_of(self._name, self._app.appid, kind, sender, about, created, *told_apart),
            replay_key=_hash_parts(self._name, self._app.appid, "signature", query["signature"]),
            digest=hashlib.sha256(plain).hexdigest(),
            form=form,
            encrypted=encrypted,
            nonce=query["nonce"],
        )


def key_of(app: AppName, appid: str, kind: str, sender: str, *parts: str) -> str:
    """The key under which a push is processed once; a hash, so it does not reveal an openid.

    A MsgId alone is not enough: WeChat guarantees uniqueness per sender at best.
    `parts` are the person of an event, CreateTime, event, its key, MsgId, and any other field that
    distinguishes two events of one second.
    """
    return _hash_parts(app, appid, kind, sender, *parts)


def _required_text(fields: Fields, name: str, shape: re.Pattern[str]) -> str:
    value = fields.get(name)
    text = value.strip() if isinstance(value, str) else ""
    if not shape.fullmatch(text):
        raise Malformed
    return text


def _optional_text(fields: Fields, name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise Malformed
    return value


def _scene_of(event: str, event_key: str) -> str:
    if event == "scan":
        return event_key
    if event == "subscribe" and event_key.startswith(_QR_PREFIX):
        return event_key.removeprefix(_QR_PREFIX)
    return ""


def _distinguishing_ids(value: Value | Fields) -> Iterator[str]:
    """Ids at any depth that distinguish two events of one second."""
    if isinstance(value, list):
        for item in value:
            yield from _distinguishing_ids(item)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if name in _TELLING_APART and isinstance(item, str):
                yield f"{name}={item}"
            else:
                yield from _distinguishing_ids(item)


def _hash_parts(*parts: str) -> str:
    # No part contains NUL (it is dropped as forbidden in XML), so joined lists are unambiguous.
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
