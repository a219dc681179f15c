"""Hostile texts in every field that a person can fill: shown as text in Chromium, exported as text.

The fields come from the declared forms and endpoints, so a new one is filled as soon as it is
declared, or the test names it.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import openpyxl
import pytest
from flask import Flask
from playwright.sync_api import Browser as Chromium
from sqlalchemy import select, update
from wtforms import StringField, TextAreaField
from wtforms.validators import Length

from server import slices
from server.accounts.models import Citizen
from server.announcements.compose.forms import ContentsForm
from server.app import Overrides, create_app
from server.base.ownership import owned_by
from server.base.settings import Settings
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.page import PageRoute
from server.checkin.feedback_models import ActivityFeedback, WordsCheck
from server.console.exports import FORMULA_STARTS
from server.organizers.unit_files import UNIT_FILES
from server.quiz.bank import pictures
from server.quiz.bank.file_imports import QUESTION_FILES
from server.quiz.enums import CaseState, QuestionState
from server.quiz.models import IntegrityCase, Question
from server.unit_requests.models import UnitRequest
from tests.console.test_matrix import PROBES, a_unit_request, drop_units
from tests.kit.accounts import a_citizen
from tests.kit.activities import a_lecture
from tests.kit.browser import browser
from tests.kit.console import PEOPLE, Browser, resolve_test_session
from tests.kit.console_browser import a_context, built_libraries, load_page, served
from tests.kit.console_matrix import NO_PAGES
from tests.kit.effort import repeat_count
from tests.kit.hostile import HOSTILE
from tests.kit.integrity import make_flag
from tests.kit.jobs import run_jobs
from tests.kit.pictures import a_picture
from tests.kit.question_probes import make_question

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]
REGION = PEOPLE["editor-region"]
ADMIN = PEOPLE["system_admin-region"]
# Fields with a grammar of their own, which refuse most texts.
GRAMMAR = {
    "username",
    "place",
    "role",
    "kind",
    "base",
    "divisions",
    "successor",
    "into",
    "totp",
    "point",
    "live_link",
    "questions",
    "phone",
    "people",
    # Announcements: a page of app.json, codes of scenes, names of units that exist, and fields of
    # WeChat's types.
    "page",
    "scenes",
    "unit_names",
    *(name for name in dir(ContentsForm) if "__" in name.strip("_")),
}
# Filled by `fill_rows`, with what they need besides.
BY_ROW = {"picture_alt"}
# Pages that need an object which another test makes; their field is the one of the page named.
SAME_FIELD = {
    "POST /organizers/<ref>/leave": "POST /organizers/<ref>/close",
    "POST /units/<ref>/merge": "POST /units/<ref>/close",
    # Needs a contest that dealt the question.
    "POST /review/<ref>/<number>/void": "POST /review/voids/<ref>/lift",
}
# What a form of the matrix leaves out, because the matrix needs no success.
COMPLETED: Mapping[str, Mapping[str, str]] = {
    "POST /units/new": {"kind": "school", "place": "county:450103"},
    "POST /organizers/invite": {"role": "editor", "place": "region"},
}
# Texts of citizens by endpoint and field: stored by `fill_rows`, or why no page shows them.
CITIZENS = {
    "nickname": "citizen.nickname",
    "name": "a missing unit's", "city": "an id", "county": "an id",
    "reason": "a report's or an appeal's",
    "guardian_name": "no page of the console shows it",
    "guardian_relation": "no page of the console shows it",
    "code": "spent with WeChat", "encrypted_data": "spent with WeChat", "iv": "spent with WeChat",
    "unit": "an id", "policy_version": "an id", "question_id": "an id", "attempt_id": "an id",
    "scene": "an id", "division": "an id", "instead_of": "an id", "source": "an id",
    "session": "an id", "person": "an id",
    "kind": "refused unless it is declared",
    "phone": "refused unless it is a number",
    "text": "activity_feedback.words",
}  # fmt: skip
# Posts of a form, and objects that each page is opened with.
POSTS, OPENED = repeat_count(full=200, usual=10), repeat_count(full=20, usual=2)


def is_plain(text: str) -> bool:
    """Whether a text has no character that a field may refuse."""
    return not any(unicodedata.category(letter) in ("Cc", "Cf", "Cn") for letter in text)


PLAIN = [text for text in HOSTILE if is_plain(text) and len(text) < 60]
ODD = [text for text in HOSTILE if not is_plain(text)]
# From the first text of one post to that of the next; few posts still go through the whole list.
STEP = max(7, len(HOSTILE) // POSTS)


def packed(texts: list[str], start: int, most: int) -> str:
    """As many of the texts from `start` on as a field of this length takes."""
    made = ""
    for at in range(len(texts)):
        following = texts[(start + at) % len(texts)]
        if len(made) + len(following) + 1 > most:
            # A first text that is too long would leave the field empty.
            if made:
                break
            continue
        made = f"{made} {following}" if made else following
    return made


@dataclass(kw_only=True)
class Filled:
    """What was filled: objects by the path of their pages, and the fields that took a text."""

    objects: dict[str, list[Mapping[str, str]]] = field(default_factory=lambda: defaultdict(list))
    taken: set[tuple[str, str]] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


@pytest.fixture
def whole(settings: Settings, overrides: Overrides) -> Iterator[Flask]:
    built_libraries()
    made = create_app(settings, replace(overrides, signed_in=resolve_test_session))
    yield made
    made.extensions["kepu"].uow_factory.engine.dispose()


def who_may_open(route: PageRoute) -> str:
    return next(
        name
        for name, one in PEOPLE.items()
        if one.has_permission(route.needs) and name.endswith("-region")
    )


def text_fields(app: Flask, route: PageRoute) -> dict[str, int]:
    """The free text fields of a form, and the characters that each takes."""
    if route.form is None:
        return {}
    with app.test_request_context():
        fields = list(route.form(formdata=None))
    return {
        one.name: next((v.max for v in one.validators if isinstance(v, Length)), 200)
        for one in fields
        if type(one) in (StringField, TextAreaField) and one.name not in GRAMMAR | BY_ROW
    }


def object_root(path: str) -> str:
    """The address of the object that a page belongs to: up to its last variable part."""
    return path[: path.rindex(">") + 1] if ">" in path else path


def make_object(uow_factory: UnitOfWorkFactory, route: PageRoute) -> Mapping[str, str]:
    """An object of the matrix for a page."""
    probe, organizer = PROBES[route.spelled], PEOPLE[who_may_open(route)]
    with uow_factory.begin() as uow:
        if probe.before not in (None, drop_units):
            probe.before(uow, organizer)
        if probe.make_own is not None:
            return probe.make_own(uow, organizer)
        if probe.make is not None and route.places:
            return probe.make(uow, organizer.scope, True)
    return {}


def address_of(route: PageRoute, places: Mapping[str, str]) -> str:
    path = route.path
    for name in route.places:
        path = path.replace(f"<{name}>", places[name])
    return path.rstrip("/")


def fill_forms(app: Flask, uow_factory: UnitOfWorkFactory, filled: Filled) -> None:
    """Post every form with hostile texts in its free fields."""
    for route in [one for pages in slices.PAGES for one in pages.routes if one.method == "POST"]:
        fields = text_fields(app, route)
        if not fields or route.spelled in SAME_FIELD:
            continue
        probe, who = PROBES[route.spelled], who_may_open(route)
        browser = Browser(app, who)
        for number in range(POSTS):
            places = make_object(uow_factory, route)
            base = dict(probe.form_of(PEOPLE[who]) if probe.form_of else probe.form)
            base |= COMPLETED.get(route.spelled, {})
            if route.path == "/organizers/invite":
                base["username"] = f"guest{number}"
            texts = ODD if number % 5 == 4 else PLAIN
            base |= {
                name: packed(texts, number * STEP + at * 29, most)
                for at, (name, most) in enumerate(fields.items())
            }
            status, _ = browser.ask("POST", address_of(route, places), base)
            if status in (200, 303):
                filled.taken |= {(route.spelled, name) for name in fields}
                if places:
                    filled.objects[object_root(route.path)].append(places)
            elif texts is PLAIN or status not in (400, 409, 422):
                filled.faults.append(f"{route.spelled}: {status} for {base}")


def fill_rows(uow: UnitOfWork, filled: Filled) -> None:
    """Texts of citizens, file names and descriptions of pictures, each with every hostile text."""
    name = pictures.keep_picture(uow, pictures.convert_picture(a_picture()))
    for number, text in enumerate(HOSTILE):
        if number < OPENED * 20:
            places = make_question(uow, REGION.scope, QuestionState.LIVE)
            described = update(Question).where(Question.ref == places["ref"])
            uow.session.execute(described.values(picture=name, picture_alt=text[:120]))
            filled.objects["/questions/<ref>"].append(places)
    for at in range(0, len(HOSTILE), 10):
        places = a_unit_request(uow, REGION.scope, True)
        named = update(UnitRequest).where(UnitRequest.ref == places["ref"])
        uow.session.execute(named.values(name=packed(HOSTILE, at, 100)))
        filled.objects["/unit-requests/<ref>"].append(places)
    filled.objects["/activities/<ref>"].append({"ref": add_feedback(uow)})
    flags = [{"ref": make_flag(uow, REGION.scope, CaseState.APPEALED)} for _ in range(12)]
    filled.objects["/integrity/<ref>"] += flags
    for at, case in enumerate(uow.session.scalars(select(IntegrityCase))):
        case.appeal = packed(HOSTILE, at * 17, 1000)
    for at, citizen in enumerate(uow.session.scalars(select(Citizen))):
        citizen.nickname = packed(HOSTILE, at * 17, 60)
    for number in range(0, len(HOSTILE), 20):
        sheet = io.StringIO()
        titles = [text[:60] for text in HOSTILE[number : number + 20]]
        csv.writer(sheet).writerows([["题干", "答案", *titles], [titles[0], "A", *titles]])
        ref = QUESTION_FILES.keep_file(
            uow, REGION, titles[-1], sheet.getvalue().encode(), from_zero=False, no_heading=False
        )
        filled.objects["/questions/imports/<ref>"].append({"ref": ref})
        sheet = io.StringIO()
        rows = [[text, text, "", text] for text in titles]
        csv.writer(sheet).writerows([["名称", "类别", titles[0], "县"], *rows])
        ref = UNIT_FILES.keep_file(uow, ADMIN, titles[-1], sheet.getvalue().encode())
        filled.objects["/units/imports/<ref>"].append({"ref": ref})


def add_feedback(uow: UnitOfWork) -> str:
    """An activity about which every hostile text was said; its public id."""
    columns: dict[str, Any] = dict(owned_by(REGION.scope))
    lecture = a_lecture(uow, **columns)
    for text in HOSTILE:
        citizen = a_citizen(uow).id
        uow.session.add(
            ActivityFeedback(
                activity_id=lecture.id, citizen_id=citizen, rating=3, words=text[:500],
                words_check=WordsCheck.PASSED, made_at=uow.now,
            )
        )  # fmt: skip
    uow.session.flush()
    return lecture.ref


def sample_of(found: list[Any]) -> list[Any]:
    """Some of the objects, from the whole row."""
    step = max(1, len(found) // OPENED)
    return found[::step][:OPENED]


def watched_faults(chromium: Chromium, app: Flask, filled: Filled) -> list[str]:
    """Open every page, with filled objects, and tell what a text did."""
    found: list[str] = []
    uow_factory = app.extensions["kepu"].uow_factory
    with served(app, uow_factory) as site, a_context(chromium) as context:
        context.on("dialog", lambda one: (found.append(f"dialog {one.message}"), one.dismiss()))
        context.on(
            "console",
            lambda one: one.type == "error" and found.append(f"{one.location['url']}: {one.text}"),
        )
        context.on("weberror", lambda one: found.append(str(one.error)))
        context.on(
            "request",
            lambda one: one.url.startswith((site.base, "data:")) or found.append(one.url),
        )
        routes = [one for pages in slices.PAGES for one in pages.routes if one.method == "GET"]
        page = context.new_page()
        for route in [one for one in routes if one.path not in NO_PAGES]:
            known = filled.objects.get(object_root(route.path), []) if route.places else []
            for places in sample_of(known) or [make_object(uow_factory, route)]:
                load_page(page, site, who_may_open(route), address_of(route, places))
                found += [f"{route.path}: {one}" for one in page.evaluate("violations")]
    return found


def export_faults(app: Flask) -> list[str]:
    """Cells of the exports of all lists that a spreadsheet program would run."""
    found = []
    for route in [one for pages in slices.PAGES for one in pages.routes if one.method == "POST"]:
        if not route.path.endswith("/export"):
            continue
        who = who_may_open(route)
        for kind in ("csv", "xlsx"):
            asked = {"file_format": kind, "every_column": "all", "reason": "核对"}
            form = {**PROBES[route.spelled].form, **asked}
            places = make_object(app.extensions["kepu"].uow_factory, route)
            answer = Browser(app, who).open("POST", address_of(route, places), form)
            assert answer.status_code == 200, route.spelled
            found += [f"{route.path}.{kind}: {cell}" for cell in _run_cells(kind, answer.data)]
    return found


def _run_cells(kind: str, raw: bytes) -> Iterator[str]:
    if kind == "csv":
        for row in csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")):
            yield from (cell for cell in row if cell.startswith(FORMULA_STARTS))
        return
    for row in openpyxl.load_workbook(io.BytesIO(raw)).active.iter_rows():
        for cell in row:
            begins = str(cell.value).startswith(FORMULA_STARTS) and not cell.quotePrefix
            if cell.data_type == "f" or cell.hyperlink is not None or begins:
                yield str(cell.value)


def free_texts_of_endpoints() -> set[str]:
    """The names of all fields of request bodies that take any text."""
    found = set()
    for api in slices.APIS:
        for route in api.routes:
            for one in msgspec.structs.fields(route.body) if route.body is not None else ():
                found |= {one.name} if _takes_text(one.type) else set()
    return found


def _takes_text(kind: Any) -> bool:
    shape = msgspec.inspect.type_info(kind)
    kinds = shape.types if isinstance(shape, msgspec.inspect.UnionType) else (shape,)
    return any(isinstance(one, msgspec.inspect.StrType) and one.pattern is None for one in kinds)


def test_every_free_text_of_an_endpoint_is_filled_here_or_shown_nowhere() -> None:
    assert free_texts_of_endpoints() == set(CITIZENS), (
        "add a new field to CITIZENS: what it holds, or why no page of the console shows it; a text"
        " that a page shows is also stored by fill_rows"
    )


def test_hostile_texts_do_nothing_on_any_page_or_in_any_export(
    browser: Chromium, whole: Flask
) -> None:
    uow_factory, filled = whole.extensions["kepu"].uow_factory, Filled()
    fill_forms(whole, uow_factory, filled)
    assert filled.faults == [], "\n".join(filled.faults[:20])
    fields = {
        (route.spelled, name)
        for pages in slices.PAGES
        for route in pages.routes
        if route.method == "POST" and route.spelled not in SAME_FIELD
        for name in text_fields(whole, route)
    }
    assert filled.taken == fields
    with uow_factory.begin(REGION) as uow:
        fill_rows(uow, filled)
    run_jobs(uow_factory)
    faults = watched_faults(browser, whole, filled)
    assert faults == [], "\n".join(faults)
    assert export_faults(whole) == []
