"""Commands of the campaign: loading its file; the command line prints the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from server.audit.service import Subject, record_change
from server.base.access import System
from server.base.uow import UnitOfWorkFactory
from server.programme.document import DocumentProblem
from server.programme.kinds import Kind
from server.programme.loading import CampaignPlan, read_campaign
from server.programme.storing import find_vanished, store_campaign


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """Result of a load: counts when stored, or every reason when refused."""

    problems: tuple[DocumentProblem, ...] = ()
    counts: dict[str, int]

    @property
    def ok(self) -> bool:
        """Whether the file is stored."""
        return not self.problems


def load_campaign(uow_factory: UnitOfWorkFactory, path: Path, *, shift: bool) -> LoadReport:
    """Load a campaign file into the database, or refuse all of it.

    `shift` moves all dates into the demo's month; the first load of a campaign decides by how much.
    """
    plan, problems = read_campaign(path)
    if plan is None:
        return LoadReport(problems=tuple(problems), counts={})
    actor = System(name="load-campaign")
    with uow_factory.begin(actor) as uow:
        lost = find_vanished(uow, plan)
        if lost:
            return LoadReport(problems=tuple(map(_lost_programme, lost)), counts={})
        written = store_campaign(uow, plan, shift=shift)
        counts = {**_plan_sizes(plan), "created": written.created, "changed": written.changed}
        if written.created or written.changed:
            subject = Subject("campaign", path.name)
            record_change(uow, actor, "programme.load_campaign", subject, after=counts)
    return LoadReport(counts=counts)


def _lost_programme(slug: str) -> DocumentProblem:
    return DocumentProblem("", f"programme {slug} was loaded before and is missing in this file")


def _plan_sizes(plan: CampaignPlan) -> dict[str, int]:
    kinds = [item.kind for item in plan.programmes]
    return {
        "programmes": len(kinds),
        "theme": kinds.count(Kind.THEME),
        "joint": kinds.count(Kind.JOINT),
        "organisations": len(plan.units),
    }
