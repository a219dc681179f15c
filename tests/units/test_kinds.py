"""The kinds of units: every word of the published lists means one of them."""

from __future__ import annotations

import json

import pytest

from server.base.uow import UnitOfWorkFactory
from server.seeding import FACTS
from server.units import service as units


def test_every_word_of_the_campaign_means_a_kind() -> None:
    campaign = json.loads((FACTS / "campaign.json").read_text())
    assert {units.kind_of_word(one["kind"]) for one in campaign["organisations"]} <= set(
        units.KINDS
    )


@pytest.mark.parametrize(("word", "kind"), [("中学", "school"), ("school", "school"), ("?", None)])
def test_a_kind_is_found_by_its_words_and_by_its_name(word: str, kind: str | None) -> None:
    assert units.kind_of_word(word) == kind


def test_units_are_stored_with_their_kind(uow_factory: UnitOfWorkFactory) -> None:
    rows = [
        units.UnitRow(ref=f"unit-{word}", name=word, kind=word, level=units.Level.REGION)
        for word in ("科协", "党委部门", "没见过的词")
    ]
    with uow_factory.begin() as uow:
        units.load_units(uow, rows)
        found = [unit.kind for row in rows if (unit := units.unit_by_ref(uow, row.ref))]
    assert found == ["association", "government", "other"]
