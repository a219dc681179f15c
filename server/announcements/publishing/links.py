"""Addresses of public pages, and their QR codes."""

from __future__ import annotations

import io
from functools import lru_cache

import segno

from server.base.settings import Settings

# Units: pixels of one module; a QR of a link has about 37 of them with its border.
_SCALE, _BORDER = 16, 4


def link_of_code(settings: Settings, code: str) -> str:
    """The address of the web page of a code."""
    return f"{settings.own_address}/p/{code}"


@lru_cache(maxsize=256)
def draw_link(link: str) -> bytes:
    """Draw a link as a QR code in a PNG; a repeat is free. Never call it inside a transaction."""
    made = io.BytesIO()
    code = segno.make(link, error="m", micro=False)
    code.save(made, kind="png", scale=_SCALE, border=_BORDER)
    return made.getvalue()
