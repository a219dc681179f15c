"""The meaning of WeChat's words in receipts.

The lists are open: a new word that begins as a failure is one, any other new word is counted and
says nothing about the message.
Source: template messages, "event push"; mass messages, "event push"; subscription messages, "sent
event". `failed:freq limit` was seen in the field and is in no documentation.
"""

from __future__ import annotations

import re

from server.announcements.enums import ReceiptWord
from server.wechat.errors import NoGrant, class_of
from server.wechat.words import count_unknown_word

USER_BLOCK = "user_block"
SYSTEM_FAILED = "system_failed"
FREQ_LIMIT = "freq_limit"
NO_GRANT = "no_grant"
NOT_DELIVERED = "not_delivered"
MASS_REFUSED = "mass_refused"

_TEMPLATE_REASONS = {
    "failed:user block": USER_BLOCK,
    "failed:system failed": SYSTEM_FAILED,
    "failed:freq limit": FREQ_LIMIT,
}
_ERRCODE = re.compile(r"-?[0-9]{1,9}")
_MASS_ERROR = re.compile(r"err\([0-9]{1,9}\)")
_BLANKS = re.compile(r"\s+")


def template_word(status: str) -> ReceiptWord | None:
    """The meaning of the status of a template message; None for a word that we do not know."""
    plain = _plain_status(status)
    if plain == "success":
        return ReceiptWord.DELIVERED
    if plain not in _TEMPLATE_REASONS:
        count_unknown_word("template_receipt", status)
        return ReceiptWord.FAILED if plain.startswith("failed") else None
    blocked = _TEMPLATE_REASONS[plain] == USER_BLOCK
    return ReceiptWord.BLOCKED if blocked else ReceiptWord.FAILED


def mass_word(status: str) -> ReceiptWord | None:
    """The meaning of the status of a mass message; None for a word that we do not know.

    The documentation spells two of the words with a blank and without one.
    """
    plain = _plain_status(status).replace(" ", "")
    if plain == "sendsuccess":
        return ReceiptWord.DELIVERED
    if plain == "sendfail" or _MASS_ERROR.fullmatch(plain):
        return ReceiptWord.FAILED
    count_unknown_word("mass_receipt", status)
    return None


def subscription_word(errcode: str) -> ReceiptWord | None:
    """The meaning of the errcode of a subscription message; None when it is no number."""
    if not _ERRCODE.fullmatch(errcode):
        count_unknown_word("subscription_receipt", errcode)
        return None
    if int(errcode) == 0:
        return ReceiptWord.DELIVERED
    return ReceiptWord.BLOCKED if class_of(int(errcode)) is NoGrant else ReceiptWord.FAILED


def refusal_reason(word: ReceiptWord, status: str) -> str:
    """The reason in the ledger for a message that was not delivered."""
    named = _TEMPLATE_REASONS.get(_plain_status(status))
    if named is not None:
        return named
    return NO_GRANT if word is ReceiptWord.BLOCKED else NOT_DELIVERED


def _plain_status(status: str) -> str:
    return _BLANKS.sub(" ", status.strip().lower()).replace(": ", ":")
