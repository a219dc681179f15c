"""API types of certificates."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from server.base.web.schema import In, Instant, Out

Kind = Annotated[str, Meta(min_length=1, max_length=40)]
Source = Annotated[str, Meta(min_length=1, max_length=60)]


class CertificateIn(In, frozen=True, kw_only=True):
    """A request for a certificate: a kind, and the public id of its source.

    For `quiz_score` the source is a contest, or one of the caller's papers in it; for `attendance`
    an activity. `name` is the name on the certificate, which cannot be changed afterwards.
    """

    kind: Kind
    source: Source
    name: Annotated[str, Meta(max_length=100)] | None = None


class DetailOut(Out, frozen=True, kw_only=True):
    """One fact in words."""

    label: str
    value: str


class CertificateOut(Out, frozen=True, kw_only=True):
    """A certificate of the caller; `state` is valid, withheld, revoked or doubled.

    Picture and PDF can be read with the caller's token while the certificate is valid; anybody can
    open `verify_url`. `remark` is the organizer's reason for a revocation.
    """

    serial: str
    kind: str
    source: str
    heading: str
    title: str
    sentence: str
    name: str
    details: list[DetailOut]
    state: str
    state_text: str
    remark: str
    issued_at: Instant
    image_url: str
    pdf_url: str
    verify_url: str


class OfferOut(Out, frozen=True, kw_only=True):
    """A certificate that the caller may ask for; `name` is the name on it if none is given.

    Where `named` is false, that is only a number in place of a name.
    """

    kind: str
    source: str
    heading: str
    title: str
    sentence: str
    name: str
    named: bool


class CertificatesOut(Out, frozen=True, kw_only=True):
    """The caller's certificates, and those that the caller may ask for."""

    items: list[CertificateOut]
    available: list[OfferOut]
