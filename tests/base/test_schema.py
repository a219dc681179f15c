"""Responses that are filled from an object's attributes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from server.base.web.schema import Out, fill_from


class Kind(StrEnum):
    SMALL = "small"


class ThingOut(Out, frozen=True, kw_only=True):
    id: str
    kind: Literal["small"]
    note: str | UnsetType = UNSET


@dataclass(frozen=True, kw_only=True)
class Thing:
    ref: str
    kind: Kind
    note: str
    secret: str = "not for anybody"


@dataclass(frozen=True, kw_only=True)
class Bare:
    kind: Kind = Kind.SMALL


def test_fields_come_from_attributes_of_the_same_name_and_nothing_else_does() -> None:
    made = fill_from(Thing(ref="t1", kind=Kind.SMALL, note="n"), ThingOut, id="t1")
    assert msgspec.json.encode(made) == b'{"id":"t1","kind":"small","note":"n"}'


def test_what_is_given_is_not_read_from_the_object() -> None:
    made = fill_from(Bare(), ThingOut, id="t2", note=UNSET)
    assert msgspec.json.encode(made) == b'{"id":"t2","kind":"small"}'


@pytest.mark.parametrize("given", [{"id": "t3"}, {"note": "n"}])
def test_a_field_that_is_in_neither_is_an_error_even_with_a_default(given: dict[str, str]) -> None:
    with pytest.raises(AttributeError):
        fill_from(Bare(), ThingOut, **given)
