"""XML as WeChat writes and accepts it: CDATA text, bare numbers, no declarations.

A message is a list of (name, value) pairs; a value is text, a number, such a list again, or an
`Array` of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from xml.parsers import expat

Value: TypeAlias = "str | int | float | Sequence[Pair] | Array"
Pair: TypeAlias = "tuple[str, Value]"

DEEPEST = 16


@dataclass(frozen=True)
class Array:
    """Objects that are an array in JSON and repeated elements of one name in XML."""

    items: Sequence[Sequence[Pair]]


class XmlError(ValueError):
    """A body that WeChat would not accept as a reply."""


def write_xml(fields: Sequence[Pair]) -> str:
    """Serialise the message as one `<xml>` element."""
    return f"<xml>{_write_inner(fields)}</xml>"


def _write_inner(fields: Sequence[Pair]) -> str:
    return "".join(f"<{name}>{_write_text(part)}</{name}>" for name, part in _list_elements(fields))


def _list_elements(
    fields: Sequence[Pair],
) -> Iterator[tuple[str, str | int | float | Sequence[Pair]]]:
    for name, value in fields:
        if isinstance(value, Array):
            yield from ((name, item) for item in value.items)
        else:
            yield name, value


def _write_text(value: str | int | float | Sequence[Pair]) -> str:
    if isinstance(value, str):
        return f"<![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]>"
    if isinstance(value, int | float):
        return str(value)
    return _write_inner(value)


def as_json(fields: Sequence[Pair]) -> dict[str, Any]:
    """Convert the message to a JSON object; a repeated name becomes an array."""
    out: dict[str, Any] = {}
    for name, value in fields:
        plain = _plain_value(value)
        if name not in out:
            out[name] = plain
        elif isinstance(out[name], list):
            out[name].append(plain)
        else:
            out[name] = [out[name], plain]
    return out


def _plain_value(value: Value) -> Any:
    if isinstance(value, Array):
        return [as_json(item) for item in value.items]
    return value if isinstance(value, str | int | float) else as_json(value)


def read_xml(body: str) -> dict[str, Any]:
    """Parse the fields under the root element.

    Raises: XmlError for anything but plain nested elements.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start_element
    parser.EndElementHandler = reader.end_element
    parser.CharacterDataHandler = reader.add_text
    parser.StartDoctypeDeclHandler = reader.refuse_doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise XmlError(str(error)) from error
    root = reader.root
    if not isinstance(root, dict):
        raise XmlError("the root holds no fields")
    return root


class _Reader:
    def __init__(self) -> None:
        self.root: Any = None
        self._stack: list[tuple[dict[str, Any], list[str]]] = []

    def start_element(self, name: str, attributes: dict[str, str]) -> None:
        if attributes or len(self._stack) >= DEEPEST:
            raise XmlError(f"<{name}> is nothing WeChat knows")
        self._stack.append(({}, []))

    def add_text(self, data: str) -> None:
        self._stack[-1][1].append(data)

    def end_element(self, name: str) -> None:
        children, texts = self._stack.pop()
        value: Any = children or "".join(texts)
        if not self._stack:
            self.root = value
            return
        siblings = self._stack[-1][0]
        if name in siblings:
            before = siblings[name]
            siblings[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            siblings[name] = value

    def refuse_doctype(self, *_declaration: object) -> None:
        raise XmlError("a document type is refused")
