"""A kind of certificate for tests of the slice itself, and rows for pages."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from server.base.access import REGION, Scope
from server.base.ownership import owned_by
from server.base.uow import Hooks, UnitOfWork, UnitOfWorkFactory
from server.certificates.kinds import (
    Attestation,
    CertificateKind,
    Detail,
    Right,
    Withheld,
    store_claim,
)
from server.certificates.models import Certificate
from server.certificates.rules import spell_serial

_count = itertools.count(1)


def a_claim(**changes: Any) -> Attestation:
    facts: dict[str, Any] = {
        "source": "src_1",
        "owner": REGION,
        "heading": "成绩证书",
        "title": "科学素质竞赛",
        "sentence": "参加“科学素质竞赛”，总成绩90分，特发此证。",
        "details": (Detail(label="总成绩", value="90分"),),
        "day": date(2026, 5, 1),
    }
    return Attestation(**{**facts, **changes})


class FakeSource:
    """A source whose right a test changes; its row id is 1."""

    def __init__(self) -> None:
        self.right: Right = a_claim()

    @property
    def kind(self) -> CertificateKind:
        return CertificateKind(
            name="quiz_score",
            find_source=lambda _uow, _citizen, source: 1 if source == "src_1" else None,
            read_right=lambda _uow, _citizen, _source: self.right,
            list_sources=self._list_sources,
        )

    def _list_sources(self, _uow: UnitOfWork, _citizen: int) -> Sequence[int]:
        return [1]

    def forget(self) -> None:
        self.right = Withheld(reason="no_paper", why="还没有交卷。", never=True)

    def withhold(self) -> None:
        self.right = Withheld(reason="held", why="成绩正在复核。")


def with_source(uow_factory: UnitOfWorkFactory, source: FakeSource) -> UnitOfWorkFactory:
    """The same database with this kind of certificate alone."""
    dependencies = uow_factory.dependencies
    hooks = replace(dependencies.hooks, certificates=Hooks(
        certificates={source.kind.name: source.kind}
    ).certificates)  # fmt: skip
    return UnitOfWorkFactory(uow_factory.engine, replace(dependencies, hooks=hooks))


def a_certificate(
    uow: UnitOfWork, citizen_id: int, owner: Scope = REGION, **columns: Any
) -> Certificate:
    """A valid certificate of a contest that is no longer kept."""
    number = next(_count)
    serial = spell_serial(number << 40 | number)
    claim = a_claim(owner=owner)
    values: dict[str, Any] = {
        "serial": serial, "kind": "quiz_score", "source_id": 10**12 + number,
        "citizen_id": citizen_id,
        "name": uow.keys.seal_text("韦小明", f"certificate.name:{serial}"),
        "title": claim.title, "claim": store_claim(claim), "issued_at": uow.now,
        **owned_by(owner), **columns,
    }  # fmt: skip
    row = Certificate(**values)
    uow.session.add(row)
    uow.session.flush()
    return row
