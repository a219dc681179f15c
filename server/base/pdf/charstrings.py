"""Glyph outlines of a CFF font without calls of subroutines; pure.

The subroutines of a Chinese font are much larger than the glyphs of one document, so their bodies
are copied into the glyphs that call them. Source: Adobe Technical Notes 5176 (CFF) and 5177
(Type 2 charstrings).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_HINTS = frozenset({1, 3, 18, 23})
_MASKS = frozenset({19, 20})
_CALL_LOCAL, _RETURN, _ESCAPE, _END, _SHORT, _CALL_GLOBAL, _FIXED = 10, 11, 12, 14, 28, 29, 255
_FIRST_NUMBER = 32
# The escaped operators that draw; arithmetic could compute the number of a subroutine.
_FLEXES = frozenset({34, 35, 36, 37})


class UnreadableOutline(ValueError):
    """An operator that this reader does not know."""


class _OutlineCopier:
    """One glyph: the copied code, the operands that wait for an operator, and the hints so far."""

    def __init__(self, local: Sequence[bytes], shared: Sequence[bytes]) -> None:
        self.code = bytearray()
        self._subroutines = {_CALL_LOCAL: local, _CALL_GLOBAL: shared}
        self._operands: list[tuple[int, bytes]] = []
        self._hints = 0

    def copy_code(self, code: bytes) -> bool:
        """Copy a charstring or the body of a subroutine; False when the glyph has ended."""
        at = 0
        while at < len(code):
            byte = code[at]
            if byte >= _FIRST_NUMBER or byte == _SHORT:
                at = self._take_number(code, at)
            elif byte in self._subroutines:
                at += 1
                if not self._copy_subroutine(self._subroutines[byte]):
                    return False
            elif byte == _RETURN:
                return True
            else:
                at = self._copy_operator(code, at)
                if byte == _END:
                    return False
        return True

    def _take_number(self, code: bytes, at: int) -> int:
        value, size = _read_number(code, at)
        self._operands.append((value, code[at : at + size]))
        return at + size

    def _copy_subroutine(self, bodies: Sequence[bytes]) -> bool:
        number, _ = self._operands.pop()
        return self.copy_code(bodies[number + _bias_of(len(bodies))])

    def _copy_operator(self, code: bytes, at: int) -> int:
        byte, size = code[at], 1
        if byte in _HINTS or byte in _MASKS:
            self._hints += len(self._operands) // 2
        if byte in _MASKS:
            size += (self._hints + 7) // 8
        elif byte == _ESCAPE:
            size += 1
            if code[at + 1] not in _FLEXES:
                raise UnreadableOutline(f"operator 12 {code[at + 1]}")
        for _, raw in self._operands:
            self.code += raw
        self._operands.clear()
        self.code += code[at : at + size]
        return at + size


def inline_subroutines(charstring: bytes, local: Sequence[bytes], shared: Sequence[bytes]) -> bytes:
    """A charstring with the bodies of its subroutines instead of their calls.

    Raises: UnreadableOutline.
    """
    reader = _OutlineCopier(local, shared)
    reader.copy_code(charstring)
    return bytes(reader.code)


def _bias_of(count: int) -> int:
    if count < 1240:
        return 107
    return 1131 if count < 33900 else 32768


def _read_number(code: bytes, at: int) -> tuple[int, int]:
    """The number at a position, and the length of its bytes."""
    byte = code[at]
    if byte == _SHORT:
        return struct.unpack_from(">h", code, at + 1)[0], 3
    if byte == _FIXED:
        # A fraction of 65536; never the number of a subroutine.
        return struct.unpack_from(">i", code, at + 1)[0] >> 16, 5
    if byte <= 246:
        return byte - 139, 1
    if byte <= 250:
        return (byte - 247) * 256 + code[at + 1] + 108, 2
    return -(byte - 251) * 256 - code[at + 1] - 108, 2
