"""The live count beside the form of an audience; the editor's pages contain the form itself."""

from __future__ import annotations

from pathlib import Path

from werkzeug.datastructures import MultiDict

from server.activities import service as activities
from server.announcements.audience.forms import AudienceForm, offer_audience, read_audience
from server.announcements.audience.selecting import count_audience
from server.base.access import Organizer, Permission
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, page
from server.base.web.schema import Query
from server.programme import service as programmes
from server.quiz import service as quiz

PAGES = Pages("audience", Path(__file__).with_name("pages"))


class AudienceQuery(Query, frozen=True, kw_only=True):
    """The fields of the form while it is filled in, as text; `topic` is the announcement's."""

    topic: str = ""
    audience_places: str = ""
    audience_units: str = ""
    audience_topic: str = ""
    audience_programme: str = ""
    audience_contest: str = ""
    audience_completed: str = ""
    audience_score: str = ""
    audience_best_rank: str = ""
    audience_last_rank: str = ""
    audience_activity: str = ""
    audience_signup_state: str = ""
    audience_first_day: str = ""
    audience_last_day: str = ""
    audience_scenes: str = ""


def offer_conditions(uow: UnitOfWork, organizer: Organizer, form: AudienceForm) -> None:
    """Set the choices of an audience's form to what this organizer may use."""
    choices = {
        "programmes": programmes.list_titles(uow),
        "contests": quiz.list_titles(uow, organizer),
        "activities": activities.own_titles(uow, organizer),
    }
    offer_audience(uow, form, choices)


@page(
    PAGES,
    "GET",
    "/announcements/audience-count",
    needs=Permission.ANNOUNCEMENT_WRITE,
    query=AudienceQuery,
)
def count_people(uow: UnitOfWork, organizer: Organizer, query: AudienceQuery) -> Page:
    """The number of people whom a form that is not saved yet selects in the organizer's place."""
    values = {name: getattr(query, name) for name in query.__struct_fields__}
    form = AudienceForm(MultiDict({name: value for name, value in values.items() if value}))
    if not form.validate():
        return Page("audience/count.html", count=None)
    count = count_audience(uow, organizer, read_audience(form), query.topic or None)
    return Page("audience/count.html", count=count)
