"""Whether everybody can read and hit a mini-program's page: measured where it is drawn."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Frame, Page

SCRIPT = Path(__file__).with_name("elder.js").read_text(encoding="utf-8")
# The page on top of the stack; what lies under it is drawn too, but hidden.
PAGE = "wx-page, [data-page]"


@dataclass(frozen=True)
class Floor:
    """The least that is allowed.  Units: CSS pixels; `contrast` and `leading` are ratios."""

    target: float
    text: float
    contrast: float = 4.5
    leading: float = 1.3


ELDER = Floor(target=60, text=18)
ORDINARY = Floor(target=44, text=14)


def flaws(place: Page | Frame, floor: Floor = ELDER, root: str = PAGE) -> list[str]:
    """One line for each thing on the visible page that falls short; empty when nothing does.

    The kinds are `target`, `text`, `contrast`, `leading`, `overflow`, `name` and `reach`.
    """
    found: list[str] = place.evaluate(SCRIPT, {"floor": asdict(floor), "root": root})
    return found
