"""`page` declares a page of the console; `server/console/` runs it.

Menu and role matrix are generated from the resulting table of pages.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from server.base.access import Organizer, Permission
from server.base.errors import AppError
from server.base.web.schema import prepare_decoder

if TYPE_CHECKING:
    from wtforms import Form

    from server.base.uow import UnitOfWork, UnitOfWorkFactory

View = TypeVar("View", bound=Callable[..., Any])
METHODS = ("GET", "POST")
# A message instead of a missing-argument error, so that it names where permissions are defined.
_NEEDS = "say needs=Permission.…: the permission that opens the page (server/base/access.py)"
_PLACE = re.compile(r"<(\w+)>")


class PageRefused(Exception):
    """An invalid page declaration; the message says what to write instead."""


class FieldRefused(AppError):
    """A service refuses fields of a valid form; the frame shows the form again with them.

    `field_name` is the field's name in the form, `said` the full key of a text in `texts.toml`;
    `others` are pairs of both for further fields.
    """

    code = "field_refused"
    status = 422

    def __init__(self, field_name: str, said: str, *others: tuple[str, str]) -> None:
        super().__init__()
        self.field_name = field_name
        self.said = said
        self.others = others


class Page:
    """A view's response: a template and its values.

    `template` is `<tag of the table>/<file in its folder>`, for example `bank/questions.html`.
    """

    def __init__(self, template: str, /, **shown: Any) -> None:
        self.template = template
        self.shown = shown


@dataclass(frozen=True, kw_only=True)
class Note:
    """The audit entry of a POST that changes no object, for example an export.

    `act` is `<slice>.<verb>_<object>`, with its name under `<slice>.act.<verb>_<object>`.
    """

    act: str
    facts: Mapping[str, str | int] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Download:
    """A view's response: a file to save.

    `content` is the file's bytes or its path, or makes the bytes after the transaction.
    """

    file_name: str
    media: str
    content: bytes | Path | Callable[[], bytes] = field(repr=False)
    note: Note | None = None


@dataclass(frozen=True)
class Redirect:
    """A view's response after a change: the next console path, and the message to show there.

    `said` is the full key of a text in `texts.toml`, `facts` fills its placeholders.
    """

    path: str
    said: str | None = None
    facts: Mapping[str, str | int] = field(default_factory=dict)
    note: Note | None = None


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A pending task of an organizer: its number, a text key, and the page on which it is done.

    The sentence gets `count` and `facts` and is shown beside the number, for example
    "questions wait for your review". `path` is below /console. Without a count nothing is shown.
    """

    count: int
    said: str
    path: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


# Called by the first page with the organizer's scope guarded; must be cheap.
WaitingProvider = Callable[["UnitOfWork", Organizer], Iterable[Waiting]]


class Section(StrEnum):
    """The sections of the menu, in this order."""

    WORK = "work"
    CONTENT = "content"
    FIGURES = "figures"
    ORGANISATION = "organisation"
    SYSTEM = "system"


@dataclass(frozen=True, kw_only=True)
class PagePreflight:
    """Context of a step before a page's transaction: WeChat, password hashes, short reads."""

    uow_factory: UnitOfWorkFactory
    organizer: Organizer
    gateway: Any


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A request to an open page: its view opens its own transactions.

    `network` is the address, or the range that counts as one address. `cookies` are those of the
    console by name; `browser` is the User-Agent header, at most 300 characters.
    """

    uow_factory: UnitOfWorkFactory
    network: str
    cookies: Mapping[str, str] = field(repr=False)
    browser: str


@dataclass(frozen=True, kw_only=True)
class SetCookie:
    """A cookie for the console's addresses: HttpOnly, SameSite=Lax, and Secure outside the demo.

    Units: `keep_seconds` None until the browser is closed, 0 to delete it.
    """

    name: str
    value: str = field(default="", repr=False)
    keep_seconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class VisitReply:
    """An open page's response with cookies; `renewed` drops the browser's form tokens."""

    shown: Page | Redirect
    cookies: tuple[SetCookie, ...] = ()
    status: int = 200
    renewed: bool = False


@dataclass(frozen=True, kw_only=True)
class OpenRoute:
    """A page for people without a session: the log-in and one-time links."""

    method: str
    path: str
    view: Callable[..., Page | Redirect | VisitReply]
    form: type[Form] | None
    query: type[Any] | None
    tag: str

    @property
    def name(self) -> str:
        """A unique name for the router."""
        return f"{self.tag}_open_{self.view.__name__}"

    @property
    def spelled(self) -> str:
        """Method and path, as tests name the page."""
        return f"{self.method} {self.path}"


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
    section: Section
    tag: str
    ask: Callable[..., Any] | None = None

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
    open_routes: list[OpenRoute] = field(default_factory=list)

    def find_page(self, method: str, path: str) -> PageRoute | None:
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
    ask: Callable[..., Any] | None = None,
    section: Section = Section.WORK,
) -> Callable[[View], View]:
    """Declare a view `view(uow, organizer, <path variables>, form=, query=)` under `/console`.

    GET gets a read-only transaction and returns a `Page` or a `Download`; POST changes something,
    returns a `Redirect` or a `Download` and is written to the audit trail. A POST with a form needs
    a GET with the same path and form, which shows it again (422) with the input and its errors; the
    view may raise `FieldRefused` for the same. `menu` is the text key of the page's menu entry,
    `section` its part of the menu. `ask(preflight, <path variables>, form=, query=)` of a POST runs
    before the transaction, for WeChat and password hashes; the view gets its value as `asked`.
    Raises: PageRefused for an invalid declaration, also without `needs`.
    """

    def declare_view(view: View) -> View:
        if not isinstance(needs, Permission):
            raise PageRefused(f"{method} {path} ({view.__name__}): {_NEEDS}")
        route = PageRoute(
            method=method, path=path, view=view, needs=needs, form=form, query=query, menu=menu,
            section=section, tag=pages.tag, ask=ask,
        )  # fmt: skip
        _check_route(pages, route)
        prepare_decoder(query)
        pages.routes.append(route)
        return view

    return declare_view


def open_page(
    pages: Pages,
    method: str,
    path: str,
    *,
    form: type[Form] | None = None,
    query: type[Any] | None = None,
) -> Callable[[View], View]:
    """Declare a view `view(visit, <path variables>, form=, query=)` that needs no session.

    The view opens its own transactions, so that slow hashing holds none open, and validates its
    form itself. A POST needs a CSRF token. Only the log-in, one-time links and the projector page
    may be open; `tests/console/test_matrix.py` lists them.
    Raises: PageRefused for an unknown method.
    """

    def declare(view: View) -> View:
        if method not in METHODS:
            raise PageRefused(f"{method} {path} ({view.__name__}): the method is one of {METHODS}")
        prepare_decoder(query)
        pages.open_routes.append(
            OpenRoute(method=method, path=path, view=view, form=form, query=query, tag=pages.tag)
        )
        return view

    return declare


def _check_route(pages: Pages, route: PageRoute) -> None:
    wanted = ["uow", "organizer", *route.places]
    wanted += [name for name in ("form", "query") if getattr(route, name) is not None]
    wanted += ["asked"] if route.ask is not None else []
    given = list(inspect.signature(route.view).parameters)
    shown = pages.find_page("GET", route.path)
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
        "only a POST has something to `ask` before its transaction": (
            route.method != "POST" and route.ask is not None
        ),
        "only a GET without places stands in the menu": (
            route.menu is not None and (route.method != "GET" or bool(route.places))
        ),
    }
    for reason, broken in reasons.items():
        if broken:
            raise PageRefused(f"{route.spelled} ({route.view.__name__}): {reason}")
