"""`page` declares a page of the console; `server/console/` runs it.

Menu and role matrix are generated from the resulting table of pages.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from server.base.access import Permission
from server.base.web.schema import prepare

if TYPE_CHECKING:
    from wtforms import Form

View = TypeVar("View", bound=Callable[..., Any])
METHODS = ("GET", "POST")
# A message instead of a missing-argument error, so that it names where permissions are defined.
_NEEDS = "say needs=Permission.…: the permission that opens the page (server/base/access.py)"
_PLACE = re.compile(r"<(\w+)>")


class PageRefused(Exception):
    """An invalid page declaration; the message says what to write instead."""


class Page:
    """A view's response: a template and its values.

    `template` is `<tag of the table>/<file in its folder>`, for example `bank/questions.html`.
    """

    def __init__(self, template: str, /, **shown: Any) -> None:
        self.template = template
        self.shown = shown


@dataclass(frozen=True)
class Redirect:
    """A view's response after a change: the next console path, and the message to show there.

    `said` is the full key of a text in `texts.toml`.
    """

    path: str
    said: str | None = None


@dataclass(frozen=True, kw_only=True)
class PageRoute:
    """One declared page; `path` is below `/console`."""

    method: str
    path: str
    view: Callable[..., Any]
    needs: Permission
    form: type[Form] | None
    query: type[Any] | None
    menu: str | None
    tag: str

    @property
    def name(self) -> str:
        """A unique name for the router."""
        return f"{self.tag}_{self.view.__name__}"

    @property
    def spelled(self) -> str:
        """Method and path, as tests and the audit name the page."""
        return f"{self.method} {self.path}"

    @property
    def places(self) -> list[str]:
        """The variable parts of the path."""
        return _PLACE.findall(self.path)


@dataclass(frozen=True)
class Pages:
    """The pages of one slice or sub-package; `folder` holds its templates."""

    tag: str
    folder: Path
    routes: list[PageRoute] = field(default_factory=list)

    def find(self, method: str, path: str) -> PageRoute | None:
        """The page with this method and path."""
        return next((r for r in self.routes if (r.method, r.path) == (method, path)), None)


def page(  # noqa: PLR0913 - one declaration per fact of the page, all by name
    pages: Pages,
    method: str,
    path: str,
    *,
    needs: Permission | None = None,
    form: type[Form] | None = None,
    query: type[Any] | None = None,
    menu: str | None = None,
) -> Callable[[View], View]:
    """Declare a view `view(uow, organizer, <path variables>, form=, query=)` under `/console`.

    GET gets a read-only transaction and returns a `Page`; POST changes something, returns a
    `Redirect` and is written to the audit trail. A POST with a form needs a GET with the same path
    and form, which shows it again (422) with the input and its errors. `menu` is the text key of
    the page's menu entry.
    Raises: PageRefused for an invalid declaration, also without `needs`.
    """

    def declare(view: View) -> View:
        if not isinstance(needs, Permission):
            raise PageRefused(f"{method} {path} ({view.__name__}): {_NEEDS}")
        route = PageRoute(
            method=method, path=path, view=view, needs=needs, form=form, query=query, menu=menu,
            tag=pages.tag,
        )  # fmt: skip
        _check(pages, route)
        prepare(query)
        pages.routes.append(route)
        return view

    return declare


def _check(pages: Pages, route: PageRoute) -> None:
    wanted = ["uow", "organizer", *route.places]
    wanted += [name for name in ("form", "query") if getattr(route, name) is not None]
    given = list(inspect.signature(route.view).parameters)
    shown = pages.find("GET", route.path)
    reasons: Mapping[str, bool] = {
        f"the method is one of {METHODS}": route.method not in METHODS,
        f"the view takes ({', '.join(wanted)}), and in this order the first two": (
            given[:2] != wanted[:2] or set(given) != set(wanted)
        ),
        "declare first the GET of the same path and form, which shows the form": (
            route.method == "POST"
            and route.form is not None
            and (shown is None or shown.form is not route.form)
        ),
        "only a GET without places stands in the menu": (
            route.menu is not None and (route.method != "GET" or bool(route.places))
        ),
    }
    for reason, broken in reasons.items():
        if broken:
            raise PageRefused(f"{route.spelled} ({route.view.__name__}): {reason}")
