"""Declarations of slices above: kinds of certificates, and the right of a citizen to one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from server.base.access import Scope
from server.base.uow import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One fact in words, for example the score."""

    label: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Attestation:
    """The content of a certificate; all texts are in words.

    `source` is the public id of what is certified, `owner` the place that it belongs to. `day` is
    the day of the certified fact. `name` is the name that the citizen gave for the source, if any.
    """

    source: str
    owner: Scope
    heading: str
    title: str
    sentence: str
    details: tuple[Detail, ...]
    day: date
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Withheld:
    """No right to a certificate, or not now; `reason` is a code, `why` says it in words.

    `never`: nothing is recorded about the citizen. An issued certificate keeps its content, because
    its rows may have been deleted after their time.
    """

    reason: str
    why: str
    never: bool = False


Right = Attestation | Withheld


@dataclass(frozen=True, kw_only=True)
class CertificateKind:
    """A kind of certificate, named in the manifest of its slice under `certificates=`.

    `find_source(uow, citizen_id, source)` is the row id of a source by its public id; None when it
    does not exist for this citizen. `read_right(uow, citizen_id, source_id)` is the present right.
    `list_sources(uow, citizen_id)` are row ids of sources that may give a right, the latest first.
    """

    name: str
    find_source: Callable[[UnitOfWork, int, str], int | None]
    read_right: Callable[[UnitOfWork, int, int], Right]
    list_sources: Callable[[UnitOfWork, int], Sequence[int]]


def kind_named(uow: UnitOfWork, name: str) -> CertificateKind | None:
    """A declared kind; None for an unknown one."""
    found: CertificateKind | None = uow.dependencies.hooks.certificates.get(name)
    return found


def declared_kinds(uow: UnitOfWork) -> Sequence[CertificateKind]:
    """All declared kinds."""
    return tuple(uow.dependencies.hooks.certificates.values())


def store_claim(claim: Attestation) -> dict[str, object]:
    """A claim as the value of a JSON column, without the name."""
    stored: dict[str, object] = msgspec.to_builtins(claim)
    return {key: value for key, value in stored.items() if key != "name"}


def load_claim(stored: Mapping[str, Any]) -> Attestation:
    """A claim as it was stored."""
    return Attestation(
        **{key: str(stored[key]) for key in ("source", "heading", "title", "sentence")},
        owner=Scope(**stored["owner"]),
        details=tuple(Detail(**one) for one in stored["details"]),
        day=date.fromisoformat(stored["day"]),
    )
