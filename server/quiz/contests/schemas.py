"""API types of the rules page."""

from __future__ import annotations

from server.base.web.schema import Instant, Out


class RuleSentenceOut(Out, frozen=True, kw_only=True):
    """One rule as a sentence."""

    name: str
    text: str


class RulesPageOut(Out, frozen=True, kw_only=True):
    """The rules page; `signature` (Ed25519, URL-safe base64) signs the UTF-8 of `document`."""

    contest_id: str
    title: str
    rules_version: str
    valid_from: Instant
    sentences: list[RuleSentenceOut]
    document: str
    signature: str
    public_key: str
