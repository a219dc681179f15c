"""The side menu: the pages that a role may open, in sections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.base.access import Organizer
from server.base.web.page import Pages, Section
from server.console.form_session import PREFIX


@dataclass(frozen=True, kw_only=True)
class MenuSection:
    """Entries (address, text key) under a title; the first section has none."""

    title: str
    entries: list[tuple[str, str]]


def build_menu(tables: Iterable[Pages], organizer: Organizer) -> list[MenuSection]:
    """The sections with at least one page that this organizer may open."""
    found: dict[Section, list[tuple[str, str]]] = {section: [] for section in Section}
    for pages in tables:
        for route in pages.routes:
            if route.menu is not None and organizer.has_permission(route.needs):
                entry = (f"{PREFIX}{route.path}".rstrip("/"), route.menu)
                found[route.section].append(entry)
    return [
        MenuSection(title=_title_of(section), entries=entries)
        for section, entries in found.items()
        if entries
    ]


def entry_of(menu: Iterable[MenuSection], path: str) -> str:
    """The address of the entry to which a page belongs; empty when there is none."""
    under = [
        address
        for section in menu
        for address, _ in section.entries
        if path == address or (address != PREFIX and path.startswith(f"{address}/"))
    ]
    return max(under, key=len, default="")


def _title_of(section: Section) -> str:
    return "" if section is Section.WORK else f"console.section.{section.value}"
