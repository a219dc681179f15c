"""Types of requests and responses: request types refuse unknown fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Generic, TypeVar, get_origin

import msgspec
from msgspec import Meta, Struct

from server.base.errors import Invalid, Malformed

Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 with offset")]
Limit = Annotated[int, Meta(ge=1, le=100)]
Item = TypeVar("Item")
Shape = TypeVar("Shape", bound=Struct)


class In(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request body; an unknown field is refused."""


class Query(Struct, frozen=True, kw_only=True):
    """The query string of an address."""


class Out(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A response; the published schema allows no undeclared field."""


def fill_from(source: object, shape: type[Shape], **given: Any) -> Shape:
    """A response filled from the attributes of the same name.

    `given` are the fields with another name or another value. An enum is encoded as its value.
    Raises: AttributeError when a field is in neither, also one that has a default.
    """
    same = _fields_without(shape, frozenset(given))
    return shape(**{name: getattr(source, name) for name in same}, **given)


@cache
def _fields_without(shape: type[Struct], given: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in shape.__struct_fields__ if name not in given)


class Page(Struct, Generic[Item], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One page of a list; `next` is the cursor of the following one."""

    items: list[Item]
    next: str | None


class PageQuery(Query, frozen=True, kw_only=True):
    """The two parameters of every list."""

    limit: Limit = 20
    after: str | None = None


class ErrorEntry(Out, frozen=True, kw_only=True):
    """One fault of a request: path of the field, and reason."""

    loc: list[str | int]
    msg: str


_AT = re.compile(r" - at `(?:key in )?\$?(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_MISSING = re.compile(r"(?:missing required|contains unknown) field `([^`]*)`")


def prepare_decoder(shape: type[Any] | None) -> None:
    """Prepare the decoder of a type before requests arrive.

    Otherwise it would do so at first use, and two threads doing this at once crash the process.
    """
    if shape is not None:
        msgspec.json.Decoder(shape)


def decode_body(raw: bytes, shape: type[Any]) -> Any:
    """Decode a request body to its type.

    Raises: Malformed (400) when it is not JSON, Invalid (422) when it is not of this type.
    """
    if rb"\u0000" in raw:
        raise Invalid(((), "NUL is not allowed"))
    try:
        return msgspec.json.decode(raw or b"{}", type=shape)
    except msgspec.ValidationError as trouble:
        _refuse_unless_json(raw)
        raise _invalid_at(str(trouble), "body") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed from None


def _refuse_unless_json(raw: bytes) -> None:
    # The decoder stops at the first wrong field, so the rest may not even be JSON.
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed from None


def decode_query(args: Mapping[str, str | list[str]], shape: type[Any]) -> Any:
    """Decode a query string to its type.

    Raises: Invalid (422).
    """
    known = _field_names(shape)  # type: ignore[arg-type]  # a class is hashable
    try:
        return msgspec.convert({k: v for k, v in args.items() if k in known}, shape, strict=False)
    except msgspec.ValidationError as trouble:
        raise _invalid_at(str(trouble), "query") from None


@cache
def list_fields(shape: type[Any]) -> frozenset[str]:
    """The fields of a query that take every value of a repeated name; the others take the first."""
    fields = msgspec.structs.fields(shape)
    return frozenset(one.encode_name for one in fields if get_origin(one.type) is tuple)


@cache
def _field_names(shape: type[Any]) -> frozenset[str]:
    return frozenset(field.encode_name for field in msgspec.structs.fields(shape))


def _invalid_at(message: str, where: str) -> Invalid:
    found = _AT.search(message)
    words = message[: found.start()] if found else message
    loc: list[str | int] = [where]
    for name, index in _STEP.findall(found["path"] if found else ""):
        loc.append(int(index) if index.isdigit() else index or name)
    named = _MISSING.search(message)
    if named:
        loc.append(named[1])
    return Invalid((tuple(loc), words))
