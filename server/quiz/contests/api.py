"""The rules page of a contest."""

from __future__ import annotations

from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, endpoint
from server.quiz.contests import rules_page
from server.quiz.contests import service as contests
from server.quiz.contests.rules_page import RulesPage
from server.quiz.contests.schemas import RuleSentenceOut, RulesPageOut

RULES_API = Api("quiz")


@endpoint(
    RULES_API,
    "GET",
    "/contests/<ref>/rules",
    who=Who.ANYONE,
    out=RulesPageOut,
    errors=(NotFound,),
)
def show_rules(uow: UnitOfWork, ref: str) -> RulesPageOut:
    """Show the rules page, written from the rules in force."""
    return _rules_out(rules_page.rules_page(uow, contests.find_contest(uow, ref)))


def _rules_out(page: RulesPage) -> RulesPageOut:
    return RulesPageOut(
        contest_id=page.contest.ref,
        title=page.contest.title,
        rules_version=page.contest.rules.version,
        valid_from=page.contest.valid_from,
        sentences=[RuleSentenceOut(name=name, text=text) for name, text in page.sentences],
        document=page.document,
        signature=page.signature,
        public_key=page.public_key,
    )
