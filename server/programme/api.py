"""The campaign and its programmes for the mini-program; public."""

from __future__ import annotations

from dataclasses import asdict

from server.base.errors import NotFound
from server.base.templates import message_templates
from server.base.topics import announcement_topics
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, endpoint
from server.base.web.schema import Page, fill_from
from server.programme import service
from server.programme.schemas import (
    AwardOut,
    CampaignOut,
    OperatorOut,
    OrganiserOut,
    ProgrammeOut,
    ProgrammeQuery,
    SummaryOut,
    TargetOut,
    TemplateOut,
    TitleOut,
    TopicOut,
)

API = Api("programme")


@endpoint(API, "GET", "/campaign", who=Who.ANYONE, out=CampaignOut, errors=(NotFound,))
def get_campaign(uow: UnitOfWork) -> CampaignOut:
    """The running campaign, with what a client needs at its start."""
    found = service.find_campaign(uow)
    return fill_from(
        found,
        CampaignOut,
        title=TitleOut(zh=found.title, za=found.title_za),
        target=TargetOut(**found.target, note=uow.texts.fill_text("programme.target.note")),
        summary=_summary_out(found),
        organisers=_organisers_out(found.organisers),
        operator=OperatorOut(**asdict(uow.settings.operator)),
        policy_version=uow.settings.policy_version,
        policy_date=uow.settings.policy_day,
        topics=[fill_from(topic, TopicOut) for topic in announcement_topics()],
        subscribe_templates=[
            fill_from(template, TemplateOut)
            for template in message_templates()
            if template.slug in uow.dependencies.hooks.sends
        ],
    )


@endpoint(API, "GET", "/programmes", who=Who.ANYONE, query=ProgrammeQuery, out=Page[ProgrammeOut])
def list_programmes(uow: UnitOfWork, query: ProgrammeQuery) -> Page[ProgrammeOut]:
    """The campaign's theme activities and joint actions, in the notice's order."""
    wanted = service.Wanted(kind=query.kind, city=query.city, since=query.since, until=query.until)
    found, following = service.list_programmes(uow, wanted, limit=query.limit, after=query.after)
    return Page(items=[_programme_out(item) for item in found], next=following)


@endpoint(API, "GET", "/programmes/<slug>", who=Who.ANYONE, out=ProgrammeOut, errors=(NotFound,))
def get_programme(uow: UnitOfWork, slug: str) -> ProgrammeOut:
    """One theme activity or joint action."""
    return _programme_out(service.find_programme(uow, slug))


def _summary_out(found: service.CampaignDetail) -> SummaryOut:
    told = found.summary
    return SummaryOut(
        date_text=told["date_text"],
        on=found.summary_on,
        precision=told["precision"],
        awards=[AwardOut(**award) for award in told["awards"]],
    )


def _organisers_out(found: list[service.Organiser]) -> list[OrganiserOut]:
    return [fill_from(unit, OrganiserOut) for unit in found]


def _programme_out(found: service.ProgrammeDetail) -> ProgrammeOut:
    content = found.content
    return fill_from(
        found,
        ProgrammeOut,
        organisers=_organisers_out(found.organisers),
        who=content["who"],
        what=content["what"],
        focus=content["focus"],
        audience=content["audience"],
        participants=content["participants"],
        participants_assumed=content["participants_assumed"],
        note=content["note"],
    )
