"""Pages of merging a unit into another one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta
from wtforms import HiddenField
from wtforms.validators import InputRequired

from server.base.access import Organizer, Permission
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused, Page, Pages, Redirect, page
from server.base.web.schema import Query
from server.console.forms import ConsoleForm, reason_field
from server.organizers import unit_directory, unit_merging

PAGES = Pages("merge_pages", Path(__file__).with_name("pages"))
_WRITE = Permission.UNIT_WRITE


class MergeQuery(Query, frozen=True, kw_only=True):
    """The search text for the other unit, or the chosen unit."""

    q: Annotated[str, Meta(max_length=40)] = ""
    into: Annotated[str, Meta(max_length=40)] = ""


class MergeForm(ConsoleForm):
    """Form for a merge: the other unit and the reason."""

    into = HiddenField(
        "organizers.units.merge_into", validators=[InputRequired("organizers.units.merge_missing")]
    )
    reason = reason_field("organizers.form.reason")


@page(PAGES, "GET", "/units/<ref>/merge", needs=_WRITE, form=MergeForm, query=MergeQuery)
def show_merge(
    uow: UnitOfWork, organizer: Organizer, ref: str, form: MergeForm, query: MergeQuery
) -> Page:
    """Choose the other unit; then show the consequences and ask for confirmation."""
    unit = unit_directory.show_unit(uow, organizer, ref)
    chosen = form.into.data or query.into
    refused = None
    if chosen and unit.open:
        form.into.data = chosen
        try:
            preview = unit_merging.preview_merge(uow, organizer, ref, chosen)
            return Page("merge_pages/merge.html", unit=unit, preview=preview, form=form)
        except FieldRefused as refusal:
            refused = refusal.said
        except NotFound:
            refused = "console.refused.choice_gone"
    offered = unit_merging.offer_targets(uow, organizer, ref, query.q) if query.q else []
    return Page(
        "merge_pages/choose_unit.html", unit=unit, offered=offered, query=query, form=form,
        refused=refused,
    )  # fmt: skip


@page(PAGES, "POST", "/units/<ref>/merge", needs=_WRITE, form=MergeForm)
def merge_unit(uow: UnitOfWork, organizer: Organizer, ref: str, form: MergeForm) -> Redirect:
    """Merge, and show the job that moves what refers to the unit."""
    job = unit_merging.begin_merge(uow, organizer, ref, form.into.data, form.reason.data)
    return Redirect(f"/jobs/{job}", said="organizers.units.merge_begun")
