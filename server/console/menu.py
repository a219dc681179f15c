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
    """Build the sections with at least one page that this organizer may open."""
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


def find_power_pages(
    tables: Iterable[Pages], organizer: Organizer, menu: Iterable[MenuSection]
) -> dict[str, str]:
    """The address of the menu entry in which each permission of the organizer is used.

    A permission without a page, or whose pages are in no entry of this menu, is left out.
    """
    found: dict[str, str] = {}
    entries = list(menu)
    for pages in tables:
        for route in pages.routes:
            address = entry_of(entries, f"{PREFIX}{route.path}")
            if organizer.has_permission(route.needs) and address not in ("", PREFIX):
                found.setdefault(route.needs.value, address)
    return found


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
