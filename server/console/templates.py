"""Templates of the console: one environment, one folder per table of pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_wtf.csrf import generate_csrf
from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from server.base.texts import Texts
from server.base.web.page import Pages
from server.base.web.uploads import UPLOAD_LIMIT_BYTES
from server.console.assets import Assets


class Templates:
    """Renders pages; an undefined template variable is an error."""

    def __init__(self, tables: Iterable[Pages], texts: Texts, assets: Assets) -> None:
        loaders: dict[str, FileSystemLoader] = {}
        for pages in tables:
            if pages.tag in loaders:
                raise ValueError(f"two tables of pages have the tag {pages.tag}")
            loaders[pages.tag] = FileSystemLoader(pages.folder)
        self._environment = Environment(
            loader=PrefixLoader(loaders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "say": texts.fill_text,
            "form_token": generate_csrf,
            "asset": assets.address_of,
            "most_bytes": UPLOAD_LIMIT_BYTES,
        }

    def render_page(self, template: str, shown: Mapping[str, Any]) -> str:
        """Render the page as HTML."""
        return self._environment.get_template(template).render(shown)
