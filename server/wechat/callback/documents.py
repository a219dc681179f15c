"""Parses a callback's body, XML or JSON by its first byte, into text fields.

A document is limited in depth, has no DTD, no entities, and no duplicate names at its top level.
Numbers remain text, because ids are longer than a double. Characters forbidden in XML are dropped,
because people send them and WeChat passes them on: a message must not be lost because of one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeAlias
from xml.parsers import expat

import msgspec

from server.base.errors import Malformed

Value: TypeAlias = "str | dict[str, Value] | list[Value]"
Fields: TypeAlias = Mapping[str, Value]

MAX_DEPTH = 16
# An unterminated string matches to the end, so that the scan stays linear.
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
# The characters of XML 1.0; a database would also refuse NUL.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Replaces a forbidden character until the document is parsed. Dropping it earlier would let a text
# end its own CDATA section: `]]`, a control character, `>`. XML allows this code point, and Unicode
# assigns no character to it.
_MARK = "\U0010ffff"
_MARKED = re.compile(f"{FORBIDDEN.pattern}|{_MARK}")
# A numeric reference is only valid outside of CDATA; an unclosed section extends to the end.
_REFERENCE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&#(?:x(?P<hex>[0-9A-Fa-f]+)|(?P<decimal>[0-9]+));", re.DOTALL
)
_LARGEST = 0x10FFFF
_UNREADABLE = object()
# The outer document of an encrypted message as WeChat writes it: a part of what the parser accepts.
_BLANK = rb"[ \t\r\n]*"
_ENVELOPE = re.compile(
    rb"%(_)s<xml>(?:%(_)s<ToUserName><!\[CDATA\[[0-9A-Za-z_@.-]*\]\]></ToUserName>)?"
    rb"%(_)s<Encrypt><!\[CDATA\[([0-9A-Za-z+/=]+)\]\]></Encrypt>%(_)s</xml>%(_)s" % {b"_": _BLANK}
)


def read_document(body: bytes) -> tuple[dict[str, Value], str]:
    """The fields of a body and its format, `xml` or `json`.

    Raises: Malformed (400).
    """
    start = body.lstrip(b" \t\r\n")[:1]
    if start == b"<":
        return read_xml(body.lstrip(b" \t\r\n")), "xml"
    if start == b"{":
        return read_json(body), "json"
    raise Malformed


def read_encrypted(body: bytes) -> Value | None:
    """The field `Encrypt` of an outer document, None without it.

    The usual document needs no parser; every other one is read by `read_document`.
    Raises: Malformed (400).
    """
    usual = _ENVELOPE.fullmatch(body)
    return usual[1].decode("ascii") if usual else read_document(body)[0].get("Encrypt")


def read_xml(body: bytes) -> dict[str, Value]:
    """The children of the `xml` element.

    Raises: Malformed (400).
    """
    try:
        return _parse_xml(body)
    except expat.ExpatError:
        return _parsed_tolerantly(body)


def _parsed_tolerantly(body: bytes) -> dict[str, Value]:
    try:
        return _parse_xml(_marked_xml(body), marked=True)
    except expat.ExpatError:
        raise Malformed from None


def _parse_xml(body: bytes, *, marked: bool = False) -> dict[str, Value]:
    tree = _Tree()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = tree.start_element
    parser.EndElementHandler = tree.end_element
    parser.CharacterDataHandler = tree.add_unmarked if marked else tree.pieces.append
    parser.StartDoctypeDeclHandler = _refuse_construct
    parser.EntityDeclHandler = _refuse_construct
    parser.ProcessingInstructionHandler = _refuse_construct
    parser.Parse(body, True)
    return tree.root


def read_json(body: bytes) -> dict[str, Value]:
    """The members of a JSON object.

    Raises: Malformed (400).
    """
    _bound_depth(body)
    try:
        found = json.loads(
            _mark_forbidden(body),
            strict=False,
            object_pairs_hook=_object_from_pairs,
            parse_int=str,
            parse_float=str,
            parse_constant=_refuse_construct,
        )
    except ValueError:
        raise Malformed from None
    if not isinstance(found, dict):
        raise Malformed
    return {name: _plain_value(value) for name, value in found.items()}


def read_answer(body: bytes) -> Any:
    """The JSON value of a WeChat API response, without forbidden characters in its texts.

    Raises: ValueError, RecursionError for invalid JSON.
    """
    # Most answers are plain ASCII, without escapes: nothing in them can be forbidden.
    if body.isascii() and b"\\" not in body:
        found = _decode_plain(body)
        if found is not _UNREADABLE:
            return found
    return _without_marks(json.loads(_mark_forbidden(body), strict=False))


def _decode_plain(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return _UNREADABLE


class _Tree:
    """State of the expat parser: one level per open element, and the text of the innermost."""

    __slots__ = ("_levels", "pieces", "root")

    def __init__(self) -> None:
        self.root: dict[str, Value] = {}
        self.pieces: list[str] = []
        self._levels: list[dict[str, Value]] = []

    def add_unmarked(self, text: str) -> None:
        self.pieces.append(text.replace(_MARK, ""))

    def start_element(self, name: str, _attributes: dict[str, str]) -> None:
        levels = self._levels
        if len(levels) >= MAX_DEPTH or not (levels or name == "xml"):
            raise Malformed
        if self.pieces:
            self._refuse_text()
        levels.append({} if levels else self.root)

    def end_element(self, name: str) -> None:
        levels, pieces = self._levels, self.pieces
        value: Value = levels.pop()
        if value or not levels:
            self._refuse_text()
        else:
            value = "".join(pieces)
            pieces.clear()
        if not levels:
            return
        siblings = levels[-1]
        if name not in siblings:
            siblings[name] = value
        elif len(levels) == 1:
            raise Malformed
        else:
            earlier = siblings[name]
            siblings[name] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]

    def _refuse_text(self) -> None:
        """Refuse text beside elements, except white space."""
        if "".join(self.pieces).strip():
            raise Malformed
        self.pieces.clear()


def _refuse_construct(*_found: object) -> None:
    raise Malformed


def _mark_forbidden(body: bytes) -> str:
    """Decode a body, with a mark for each forbidden character and each invalid UTF-8 byte."""
    return FORBIDDEN.sub(_MARK, body.decode("utf-8", "replace").replace("\ufffd", _MARK))


def _marked_xml(body: bytes) -> bytes:
    return _REFERENCE.sub(_marked_reference, _mark_forbidden(body)).encode()


def _marked_reference(found: re.Match[str]) -> str:
    digits, base = (found["hex"], 16) if found["hex"] else (found["decimal"], 10)
    if digits is None:
        return found[0]
    digits = digits.lstrip("0")
    number = int(digits or "0", base) if len(digits) <= len(str(_LARGEST)) else _LARGEST
    return _MARK if number >= _LARGEST or FORBIDDEN.match(chr(number)) else found[0]


def _bound_depth(body: bytes) -> None:
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return
    depth = 0
    for match in _BRACKETS.finditer(body):
        token = match.group()
        if token in (b"{", b"["):
            depth += 1
            if depth > MAX_DEPTH:
                raise Malformed
        elif token in (b"}", b"]"):
            depth -= 1


def _object_from_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {_MARKED.sub("", name): value for name, value in pairs}
    if len(found) != len(pairs):
        raise Malformed
    return found


def _plain_value(value: Any) -> Value:
    if isinstance(value, dict):
        return {name: _plain_value(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain_value(item) for item in value]
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else _MARKED.sub("", str(value))


def _without_marks(value: Any) -> Any:
    if isinstance(value, str):
        return _MARKED.sub("", value)
    if isinstance(value, list):
        return [_without_marks(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_marks(item) for name, item in value.items()}
    return value
