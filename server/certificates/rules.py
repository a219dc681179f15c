"""Numbers of certificates; pure.

A number is `KP`, 80 random bits and two check characters. The check refuses every single wrong
character and every exchange of neighbours without a query; the random bits make guessing useless.
"""

from __future__ import annotations

_PREFIX = "KP"
# Without I, L, O and U, which are misread.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_BITS = 80
_BODY, _CHECK, _GROUP = RANDOM_BITS // 5, 2, 4
# The greatest prime below 32 * 32: no change of one character and no exchange is a multiple of it.
_PRIME = 1021


def spell_serial(random: int) -> str:
    """The number for 80 random bits, in groups: `KP-7F3K-9QWE-0A2B-4C6D-X7`."""
    body = _spell_letters(random, _BODY)
    check = _spell_letters(random % _PRIME, _CHECK)
    groups = [body[at : at + _GROUP] for at in range(0, _BODY, _GROUP)]
    return "-".join((_PREFIX, *groups, check))


def read_serial(typed: str) -> str | None:
    """The number as it is stored, from one typed with or without gaps; None for a wrong one."""
    plain = "".join(typed.split()).replace("-", "").upper()
    body, check = plain[len(_PREFIX) : -_CHECK], plain[-_CHECK:]
    if not plain.startswith(_PREFIX) or len(body) != _BODY or not _is_spelled(body + check):
        return None
    random = _read_letters(body)
    return spell_serial(random) if random % _PRIME == _read_letters(check) else None


def _is_spelled(text: str) -> bool:
    return all(one in _LETTERS for one in text)


def _spell_letters(number: int, count: int) -> str:
    return "".join(_LETTERS[number >> 5 * at & 31] for at in reversed(range(count)))


def _read_letters(text: str) -> int:
    number = 0
    for one in text:
        number = number << 5 | _LETTERS.index(one)
    return number
