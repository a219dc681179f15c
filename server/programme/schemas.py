"""API types of the campaign and its programmes."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from server.base.web.schema import Out, PageQuery
from server.programme.kinds import Kind, Precision, Role, State

Day = Annotated[date, Meta(description="calendar day in Beijing")]
City = Annotated[str, Meta(description="GB/T 2260 code of a city")]


class OrganiserOut(Out, frozen=True, kw_only=True):
    """A unit in its role; ordered as the notice orders them."""

    id: str
    name: str
    role: Role


class TitleOut(Out, frozen=True, kw_only=True):
    """The campaign's name; null in a language without a known name."""

    zh: str
    za: str | None


class TargetOut(Out, frozen=True, kw_only=True):
    """The campaign's goal, and the qualification to show beside it."""

    metric: str
    percent: float
    year: int
    scope: str
    note: str


class AwardOut(Out, frozen=True, kw_only=True):
    """An honour that is given at the end."""

    slug: str
    title: str


class SummaryOut(Out, frozen=True, kw_only=True):
    """The summary of the campaign: its time, and the honours awarded then."""

    date_text: str
    on: Day
    precision: Precision
    awards: list[AwardOut]


class TemplateOut(Out, frozen=True, kw_only=True):
    """A subscription message that the mini-program may offer, if the server sends it."""

    slug: str
    id: str
    title: str


class TopicOut(Out, frozen=True, kw_only=True):
    """A topic of announcements, which citizens choose and turn off in their profile."""

    slug: str
    name: str


class OperatorOut(Out, frozen=True, kw_only=True):
    """The operator of the service, with contacts for privacy and complaints."""

    name: str
    address: str
    phone: str
    email: str
    complaints: str
    privacy_contact: str


class CampaignOut(Out, frozen=True, kw_only=True):
    """The running campaign.

    In the demo exact days move by `shift_weeks` whole weeks, and wordings of months or tens of days
    by the corresponding whole months; titles and wordings are written for the moved days. Elsewhere
    it is 0. `notice_text` keeps the words of the notice of `notice_year`. `today` is the server's
    calendar day in Beijing.
    """

    slug: str
    title: TitleOut
    theme: str
    start: Day
    end: Day
    precision: Precision
    date_text: str
    today: Day
    shift_weeks: int
    notice_year: int
    notice_text: str
    phone: str | None
    target: TargetOut
    summary: SummaryOut
    organisers: list[OrganiserOut]
    operator: OperatorOut
    policy_version: str
    policy_date: Day | None
    subscribe_templates: list[TemplateOut]
    topics: list[TopicOut]


class ProgrammeQuery(PageQuery, frozen=True, kw_only=True):
    """Filter of programmes: all given parts must hold.

    `city` selects programmes open to that city, those of the whole region included; `from` and `to`
    select programmes in a period, so programmes without dates are omitted.
    """

    kind: Kind | None = None
    city: City | None = None
    since: Day | None = msgspec.field(name="from", default=None)
    until: Day | None = msgspec.field(name="to", default=None)


class ProgrammeOut(Out, frozen=True, kw_only=True):
    """A theme activity or a joint action; dates are null when units set them.

    `open_list`: the notice names more undertakers than it lists. `owner_assumed`: it names no host,
    so the campaign's first one is shown. `state` compares its days with `today`, the server's
    calendar day; null without dates. `notice_text` keeps the words of the notice of `notice_year`.
    """

    slug: str
    title: str
    kind: Kind
    form: str | None
    start: Day | None
    end: Day | None
    precision: Precision | None
    date_text: str | None
    state: State | None
    today: Day
    notice_year: int
    notice_text: str
    place: str | None
    place_code: str | None
    organisers: list[OrganiserOut]
    owner_assumed: bool
    open_list: bool
    who: list[str]
    what: list[str]
    focus: list[str]
    audience: list[str]
    participants: list[str]
    participants_assumed: bool
    note: str | None
