"""Length of nicknames, and the masked form of names for the public; pure."""

from __future__ import annotations

from server.base.characters import split_characters

MOST_CHARACTERS = 20
# A visible character can have many code points: a family emoji, or any number of stacked accents.
# So the code points are limited too, far above the needs of real names.
MOST_CODE_POINTS = 100

_JOINER = "\u200d"


def has_allowed_length(name: str) -> bool:
    """Whether a cleaned name has 1 to 20 characters as a reader counts them."""
    if not 1 <= len(name) <= MOST_CODE_POINTS:
        return False
    return sum(1 for _ in split_characters(name)) <= MOST_CHARACTERS


def mask_name(name: str) -> str:
    """The public form of a name: the first character and a star."""
    # Splits only the beginning, or nothing, because a board masks a hundred names. An ideograph or
    # a letter of ASCII after any character but a joiner always begins a new character.
    second = name[1:2]
    if second and ("\u4e00" <= second <= "\u9fff" or second.isascii()) and name[0] != _JOINER:
        return f"{name[0]}*"
    shown = split_characters(name)
    first = next(shown)
    return "*" if next(shown, None) is None else f"{first}*"
