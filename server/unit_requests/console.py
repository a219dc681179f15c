"""Pages of citizens' requests for units: the list, and the answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from wtforms import RadioField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import Length

from server.base.access import Organizer, Permission
from server.base.ownership import visible_to
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused, Page, Pages, Redirect, Section, page
from server.base.web.schema import Query
from server.console.forms import ConsoleForm, NameField, reason_field
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.console.tables import Column, ColumnKind, Filter, FilterKind, ListQuery, Table
from server.unit_requests import service
from server.unit_requests.models import RequestState, UnitRequest
from server.unit_requests.service import RequestAnswer, RequestView
from server.units.service import KINDS, resolve_scope

PAGES = Pages("unit_requests", Path(__file__).with_name("pages"))
_BADGES = {
    RequestState.WAITING: "mind",
    RequestState.CREATED: "good",
    RequestState.POINTED: "good",
    RequestState.REFUSED: "bad",
}
_ANSWERS = (RequestState.CREATED, RequestState.POINTED, RequestState.REFUSED)


class RequestQuery(ListQuery, frozen=True, kw_only=True):
    """Filters of the list: a part of the name, the state."""

    q: str | None = None
    state: RequestState | None = None


def _find_requests(uow: UnitOfWork, organizer: Organizer, query: RequestQuery) -> Select[Any]:  # noqa: ARG001 - required by Table.select
    rows = visible_to(select(UnitRequest), organizer, UnitRequest)
    if query.state is not None:
        rows = rows.where(UnitRequest.state == query.state)
    if words := (query.q or "").strip():
        rows = rows.where(UnitRequest.name.icontains(words, autoescape=True))
    return rows


def _add_counts(uow: UnitOfWork, rows: Sequence[UnitRequest]) -> Sequence[RequestView]:
    return [
        RequestView(
            request=row,
            place=resolve_scope(uow, row.owner)[1],
            count=service.count_requesters(uow, row.id),
            unit=None,
        )
        for row in rows
    ]


REQUESTS = Table(
    name="unit_requests.requests",
    path="/unit-requests",
    title="unit_requests.title",
    empty="unit_requests.none",
    query=RequestQuery,
    select=_find_requests,
    prepare=_add_counts,
    key=UnitRequest.id,
    sort="-made_at",
    columns=(
        Column(
            name="name",
            title="unit_requests.name",
            value=lambda line: line.request.name,
            sort=UnitRequest.name,
            address=lambda line: f"/console/unit-requests/{line.request.ref}",
        ),
        Column(name="place", title="unit_requests.place", value=lambda line: line.place),
        Column(
            name="count",
            title="unit_requests.count",
            value=lambda line: line.count,
            kind=ColumnKind.NUMBER,
        ),
        Column(
            name="state",
            title="unit_requests.state_title",
            value=lambda line: line.request.state.value,
            words="unit_requests.state",
            badge=lambda line: _BADGES[line.request.state],
        ),
        Column(
            name="made_at",
            title="unit_requests.made_at",
            value=lambda line: line.request.made_at,
            kind=ColumnKind.DATE,
            sort=UnitRequest.made_at,
        ),
    ),
    filters=(
        Filter(name="q", title="unit_requests.search", kind=FilterKind.SEARCH),
        Filter(
            name="state",
            title="unit_requests.state_title",
            choices=[(one.value, f"unit_requests.state.{one.value}") for one in RequestState],
        ),
    ),
)


class FindQuery(Query, frozen=True, kw_only=True):
    """The search text for the existing unit that answers a request."""

    words: str = ""


class AnswerForm(ConsoleForm):
    """Form for the answer; the page sets the choices."""

    answer = RadioField("unit_requests.form.answer", choices=[SelectChoice(a) for a in _ANSWERS])
    name = NameField(
        "unit_requests.form.name",
        validators=[Length(max=100, message="unit_requests.form.name_long")],
    )
    kind = SelectField(
        "unit_requests.form.kind", choices=[SelectChoice(""), *(SelectChoice(k) for k in KINDS)]
    )
    unit = SelectField("unit_requests.form.unit", choices=[], validate_choice=False)
    # Required where the request is refused.
    sentence = reason_field(
        "unit_requests.form.sentence",
        "unit_requests.form.sentence_about",
        required=False,
        public=True,
    )


@page(
    PAGES,
    "GET",
    "/unit-requests",
    needs=Permission.UNIT_WRITE,
    query=RequestQuery,
    menu="unit_requests.title",
    section=Section.ORGANISATION,
)
def list_requests(uow: UnitOfWork, organizer: Organizer, query: RequestQuery) -> Page:
    """The requests of the organizer's place."""
    return Page("unit_requests/requests.html", shown=read_table(uow, organizer, REQUESTS, query))


@page(
    PAGES, "GET", "/unit-requests/<ref>", needs=Permission.UNIT_WRITE, form=AnswerForm,
    query=FindQuery,
)  # fmt: skip
def show_request(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: AnswerForm, query: FindQuery
) -> Page:
    """Show a request, the units with a similar name, the units found by a search, and the form."""
    view, alike = service.find_request(uow, organizer, ref)
    found = service.find_units(uow, organizer, ref, query.words) if query.words.strip() else []
    say = uow.texts.fill_text
    form.answer.choices = [
        SelectChoice(one.value, say(f"unit_requests.answer.{one.value}")) for one in _ANSWERS
    ]
    form.kind.choices = [
        SelectChoice("", say("unit_requests.form.kind_none")),
        *(SelectChoice(one, say(f"organizers.unit_kind.{one}")) for one in KINDS),
    ]
    none = SelectChoice("", say("unit_requests.form.unit_none"))
    offered = dict([*found, *alike, *service.find_chosen(uow, organizer, ref, form.unit.data)])
    form.unit.choices = [none, *(SelectChoice(one, name) for one, name in offered.items())]
    if form.name.data is None:
        form.name.data = view.request.name
    if found and not form.is_submitted():
        form.answer.data = RequestState.POINTED.value
    return Page(
        "unit_requests/request.html", view=view, form=form, alike=alike, found=found,
        words=query.words.strip(), waiting=view.request.state is RequestState.WAITING,
    )  # fmt: skip


@page(PAGES, "POST", "/unit-requests/<ref>", needs=Permission.UNIT_WRITE, form=AnswerForm)
def answer_request(uow: UnitOfWork, organizer: Organizer, ref: str, form: AnswerForm) -> Redirect:
    """Store the answer; the citizens who asked receive it."""
    state = RequestState(form.answer.data)
    if state is RequestState.CREATED and not form.kind.data:
        raise FieldRefused("kind", "unit_requests.form.kind_missing")
    answer = RequestAnswer(
        state=state,
        name=form.name.data or "",
        kind=form.kind.data or "other",
        unit_ref=form.unit.data or "",
        sentence=form.sentence.data,
    )
    name = service.answer_request(uow, organizer, ref, answer)
    facts = {"name": name, "result": uow.texts.fill_text(f"unit_requests.state.{state.value}")}
    return Redirect("/unit-requests", said="unit_requests.answered", facts=facts)


declare_list_pages(PAGES, REQUESTS, needs=Permission.UNIT_WRITE)
