"""Settings in a reply: `{operator.phone}` is filled in when the replies are loaded. Pure.

A line with an unset value is left out, so that no reply ends in an empty number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict

from server.base.settings import Operator
from server.channel.links import plain_words

Facts = Mapping[str, str]

_PLACEHOLDER = re.compile(r"\{([^{}\n]*)\}")


def facts_of(operator: Operator) -> Facts:
    """The values available to replies, by placeholder."""
    return {f"operator.{name}": plain_words(said) for name, said in asdict(operator).items()}


KNOWN = frozenset(facts_of(Operator()))


def fill_placeholders(text: str, facts: Facts) -> str:
    """Fill the placeholders of a text; lines with an unset value are left out."""
    kept = (line for line in text.split("\n") if all(map(facts.get, _PLACEHOLDER.findall(line))))
    return _PLACEHOLDER.sub(lambda found: facts[found[1]], "\n".join(kept))


def placeholder_faults(text: str) -> list[str]:
    """Faults of a text: unknown placeholders, or no line without a placeholder."""
    named = _PLACEHOLDER.findall(text)
    found = [f"no setting is told as {{{name}}}" for name in named if name not in KNOWN]
    if named and not any(not _PLACEHOLDER.search(line) for line in text.split("\n") if line):
        found.append("every line needs a setting: nothing is left where none is set")
    return found
