"""The matrix role × route × owner: what every organizer may open, checked by requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from flask import Flask
from sqlalchemy import Table, TextClause, delete, text

from server.base.access import ROLES, Organizer, Role, Scope
from server.base.ownership import Owned
from server.base.sql.tables import Base
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.page import PageRoute
from server.quiz.models import RuleSetRow
from tests.kit.console import PEOPLE, PLACES, Browser
from tests.kit.effort import repeat_count

# Tables whose rows refer to an entry of an owned contest, to a sign-up of an owned activity, or to
# an owned announcement.
DEEPER = {
    "announcement_recipient",
    "send_try",
    "attendance",
    "integrity_case",
    "integrity_flag",
    "scan",
    "signup_notice",
    "seal_change",
    "sealed_part",
    "sealed_rank",
    "sealed_version",
}
MISSING = "add an entry to PROBES in tests/console/test_matrix.py that makes an object of an owner"


# Parts that a page loads into itself, and files.
NO_PAGES = {
    "/contests/rules-preview",
    "/jobs/<ref>/file",
    "/contests/<ref>/final/<version>/file",
    "/packs/<target>/<ref>/file",
    "/announcements/<ref>/audience/count",
    "/questions/import/example",
    "/units/import/example",
    "/activities/import/example",
}


@dataclass(frozen=True, kw_only=True)
class Probe:
    """How one page is requested.

    `make(uow, owner, published)` makes an object and gives the variable parts of the address; a
    page that belongs to no owner has none. A page that lists objects has no variable parts; it
    must show the value of `shows` among those of each object that may be seen. `upward` tells that
    what a higher owner has published may be opened, `all_published` that nothing is held back.
    `make_own(uow, organizer)` makes an object that this organizer alone may open, whatever the
    place, and gives the variable parts. `before(uow, organizer)` makes what the page of this
    organizer needs besides. `form_of` is the form where it depends on the organizer; `answers` is
    the status where a POST does not redirect.
    `refused` is the status of a change that may be sent but cannot be made here.
    """

    make: Callable[[UnitOfWork, Scope, bool], Mapping[str, str]] | None = None
    shows: str | None = None
    upward: bool = False
    all_published: bool = False
    make_own: Callable[[UnitOfWork, Organizer], Mapping[str, str]] | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[UnitOfWork, Organizer], None] | None = None
    form_of: Callable[[Organizer], Mapping[str, str]] | None = None
    answers: int = 0
    # The answer to a POST is a file.
    saves: bool = False
    refused: int | None = None
    # Organizers whose place does not take this step on any object: 409.
    refused_to: Callable[[Organizer], bool] | None = None


def list_probes(path: str, *, reason: str = "") -> dict[str, Probe]:
    """The entries of the pages that `declare_list_pages` adds below a list's path.

    The rows of a list are checked on its own page; its export runs the same statement.
    """
    return {
        f"GET {path}/export": Probe(),
        f"POST {path}/export": Probe(form={"file_format": "csv", "reason": reason}, saves=True),
        f"GET {path}/view": Probe(),
        f"POST {path}/view": Probe(form={"act": "reset"}),
    }


def check_matrix(
    app: Flask,
    uow_factory: UnitOfWorkFactory,
    routes: list[PageRoute],
    probes: Mapping[str, Probe],
    *,
    everybody: bool = False,
) -> list[str]:
    """Every fault of these pages, worded; an empty list when there is none.

    With `everybody` each role asks from each place, as under `make prove`.
    """
    faults = [f"{r.spelled}: {MISSING}" for r in routes if r.spelled not in probes]
    for number, route in enumerate(routes):
        probe = probes.get(route.spelled)
        if probe is not None:
            faults += _visitor(app, route)
            people = PEOPLE if everybody else _people_for(route, number)
            for who, organizer in people.items():
                faults += _organizer(app, uow_factory, route, probe, who, organizer)
    return faults


def _people_for(route: PageRoute, number: int) -> Mapping[str, Organizer]:
    """The organizers that request a page: all of them under `make prove`.

    Usually one role that may open it asks from every place, and each other role from one place,
    another one for each page: the role is checked before the place, and by itself.
    """
    if repeat_count(full=1, usual=0):
        return PEOPLE
    allowed = [role for role in Role if route.needs in ROLES[role]]
    everywhere = allowed[number % len(allowed)]
    places = list(PLACES)
    return {
        f"{role.value}-{place}": PEOPLE[f"{role.value}-{place}"]
        for at, role in enumerate(Role)
        for place in (places if role is everywhere else [places[(number + at) % len(places)]])
    }


def _visitor(app: Flask, route: PageRoute) -> list[str]:
    path = route.path
    for place in route.places:
        path = path.replace(f"<{place}>", "x")
    status, _ = Browser(app).ask(route.method, path, {})
    return [] if status == 401 else [f"{route.spelled}: a visitor got {status}"]


def _organizer(
    app: Flask,
    uow_factory: UnitOfWorkFactory,
    route: PageRoute,
    probe: Probe,
    who: str,
    organizer: Organizer,
) -> list[str]:
    faults = []
    good = _good(route, organizer, probe)
    shown = _owners(probe, organizer, good)
    if probe.before is not None:
        with uow_factory.begin() as uow:
            probe.before(uow, organizer)
    if probe.make_own is not None:
        return _own_faults(app, uow_factory, route, probe, who, organizer)
    if probe.make is None or not (route.places or probe.shows):
        faults = _told(route, who, "", _ask(app, route, probe, who, {})[0], good)
        if probe.before is not None:
            _clear(uow_factory)
        return faults
    with uow_factory.begin() as uow:
        made = [(o, p, probe.make(uow, o, p)) for o, p in shown]
    check_faults = _object_faults if route.places else _list_faults
    faults = check_faults(app, route, probe, who, made)
    _clear(uow_factory)
    return faults


Made = list[tuple[Scope, bool, Mapping[str, str]]]


def _list_faults(app: Flask, route: PageRoute, probe: Probe, who: str, made: Made) -> list[str]:
    organizer = PEOPLE[who]
    status, text = _ask(app, route, probe, who, {})
    faults = _told(route, who, "", status, _good(route, organizer, probe))
    for owner, public, places in made if status == 200 else []:
        seen, may = places[str(probe.shows)] in text, _may_open(organizer, owner, public, probe)
        if seen is not may:
            faults.append(f"{route.spelled} as {who}: row of {owner.spelled} seen: {seen}")
    return faults


def _object_faults(app: Flask, route: PageRoute, probe: Probe, who: str, made: Made) -> list[str]:
    faults = []
    good = _good(route, PEOPLE[who], probe)
    for owner, public, places in made:
        status, _ = _ask(app, route, probe, who, places)
        wanted = good
        if wanted != 403 and not _may_open(PEOPLE[who], owner, public, probe):
            wanted = 404
        faults += _told(route, who, f" on {owner.spelled}", status, wanted)
    return faults


def _owners(probe: Probe, organizer: Organizer, good: int) -> list[tuple[Scope, bool]]:
    """The owners of the objects to ask for, and whether each object is published.

    What is held back matters only where something is published upward. Where the role does not open
    the page, one object of the own place is enough.
    """
    owners = [owner for owner, _ in PLACES.values()]
    if good == 403:
        return [(next(one for one in owners if organizer.scope.covers_scope(one)), True)]
    return [
        (one, public) for one in owners for public in ((True, False) if probe.upward else (True,))
    ]


def _own_faults(
    app: Flask,
    uow_factory: UnitOfWorkFactory,
    route: PageRoute,
    probe: Probe,
    who: str,
    organizer: Organizer,
) -> list[str]:
    """Faults of a page of an organizer's own objects: another's does not exist."""
    assert probe.make_own is not None
    other = next(one for one in PEOPLE.values() if one.id != organizer.id)
    faults = []
    for owner in (organizer, other):
        with uow_factory.begin() as uow:
            places = probe.make_own(uow, owner)
        wanted = _good(route, organizer)
        if wanted != 403 and owner is not organizer:
            wanted = 404
        status, _ = _ask(app, route, probe, who, places)
        faults += _told(route, who, f" on a thing of {owner.name}", status, wanted)
    return faults


def _may_open(organizer: Organizer, owner: Scope, public: bool, probe: Probe) -> bool:
    if organizer.scope.covers_scope(owner):
        return True
    published = public or probe.all_published
    return probe.upward and published and owner.spelled in organizer.scope.above


def _good(route: PageRoute, organizer: Organizer, probe: Probe | None = None) -> int:
    if route.needs not in ROLES[Role(organizer.role)]:
        return 403
    if probe is not None and probe.refused is not None and route.method == "POST":
        return probe.refused
    if probe is not None and probe.refused_to is not None and probe.refused_to(organizer):
        return 409
    if probe is not None and probe.answers:
        return probe.answers
    saves = probe is not None and probe.saves
    return 200 if route.method == "GET" or saves else 303


def _told(route: PageRoute, who: str, where: str, status: int, wanted: int) -> list[str]:
    if status == wanted:
        return []
    return [f"{route.spelled} as {who}{where}: {status} instead of {wanted}"]


def _ask(
    app: Flask, route: PageRoute, probe: Probe, who: str, places: Mapping[str, str]
) -> tuple[int, str]:
    path = route.path
    for name in route.places:
        path = path.replace(f"<{name}>", places[name])
    form = probe.form if probe.form_of is None else probe.form_of(PEOPLE[who])
    return Browser(app, who).ask(route.method, path, dict(form))


def _clear(uow_factory: UnitOfWorkFactory) -> None:
    tables = _cleared_tables()
    with uow_factory.begin() as uow:
        # Most are empty, and one statement finds them for less than a deletion costs.
        filled = set(uow.session.scalars(_filled_tables()))
        for name, table in tables.items():
            if name in filled:
                uow.session.execute(delete(table))


@cache
def _filled_tables() -> TextClause:
    """Select the names of those tables that have rows."""
    selects = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in _cleared_tables())
    return text(" UNION ALL ".join(selects))


@cache
def _cleared_tables() -> dict[str, Table]:
    """The tables with an owner and those below them, in the order in which rows can be deleted."""
    owned = {m.local_table for m in Base.registry.mappers if issubclass(m.class_, Owned)}
    below = {
        table.name: table
        for table in reversed(Base.metadata.sorted_tables)
        # Triggers refuse to delete entries of the audit trail.
        if not table.name.startswith("audit_")
        and (
            table in owned
            or {key.column.table for key in table.foreign_keys} & owned
            or table.name in DEEPER
        )
    }
    rules = {RuleSetRow.__tablename__: RuleSetRow.__table__}
    return rules | below
