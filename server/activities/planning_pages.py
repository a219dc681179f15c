"""The page that makes a weekly series from an activity."""

from __future__ import annotations

from pathlib import Path

from wtforms import HiddenField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from server.activities import desk, series
from server.activities.desk import ShownActivity
from server.activities.forms import place_faults
from server.activities.lifecycle import DraftRefused
from server.activities.sayings import say_moment
from server.activities.series import MOST_COPIES, MOST_SIGNUPS, MOST_TITLE, SeriesPlan
from server.base.access import Organizer, Permission
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused, Page, Pages, Redirect, page
from server.console.forms import ConsoleForm

PAGES = Pages("activity_plans", Path(__file__).with_name("pages"))


class SeriesForm(ConsoleForm):
    """Form with the number of weeks, and the name of the series."""

    form_key = HiddenField(validators=[Length(max=40, message="console.form.no_choice")])
    title = StringField(
        "activities.series.title",
        validators=[
            InputRequired("activities.series.title_missing"),
            Length(max=MOST_TITLE, message="activities.series.title_long"),
        ],
        description="activities.series.title_hint",
    )
    copies = IntegerField(
        "activities.series.copies",
        default=4,
        validators=[
            InputRequired("activities.series.copies_wrong"),
            NumberRange(1, MOST_COPIES, message="activities.series.copies_wrong"),
        ],
        description="activities.series.copies_hint",
    )
    most_signups = IntegerField(
        "activities.series.most_signups",
        validators=[
            Optional(),
            NumberRange(1, MOST_SIGNUPS, message="activities.series.most_signups_wrong"),
        ],
        description="activities.series.most_signups_hint",
    )


@page(PAGES, "GET", "/activities/<ref>/weekly", needs=Permission.ACTIVITY_WRITE, form=SeriesForm)
def show_series_form(uow: UnitOfWork, organizer: Organizer, ref: str, form: SeriesForm) -> Page:
    """Ask for the number of weeks; the page shows the first new date."""
    shown = _own_activity(uow, organizer, ref)
    known = series.series_of(uow, organizer, shown.row)
    if not form.is_submitted():
        form.form_key.data = uow.new_ref("frm")
        form.title.data = shown.row.title if known is None else known.title
    first = desk.copy_content(shown.draft, uow.now)
    return Page(
        "activity_plans/weekly.html",
        form=form,
        activity=shown.row,
        series=known,
        first=say_moment(first.starts_at),
        opens=say_moment(first.signup_opens_at),
    )


@page(PAGES, "POST", "/activities/<ref>/weekly", needs=Permission.ACTIVITY_WRITE, form=SeriesForm)
def plan_series(uow: UnitOfWork, organizer: Organizer, ref: str, form: SeriesForm) -> Redirect:
    """Make the drafts of the coming weeks."""
    plan = SeriesPlan(
        copies=form.copies.data,
        title=" ".join(form.title.data.split()),
        most_signups=form.most_signups.data,
        form_key=form.form_key.data or None,
    )
    try:
        made = series.plan_series(uow, organizer, ref, plan)
    except DraftRefused as refusal:
        # Copies are checked as a whole; the fault is one of the activity they are made from.
        raise FieldRefused("copies", place_faults(refusal.faults)[0][1]) from None
    return Redirect(
        f"/activities?series={made.ref}",
        said="activities.series.made",
        facts={"count": made.drafts},
    )


def _own_activity(uow: UnitOfWork, organizer: Organizer, ref: str) -> ShownActivity:
    shown = desk.show_activity(uow, organizer, ref)
    if not shown.own:
        raise NotFound
    return shown
