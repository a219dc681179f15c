"""Probes of the question bank's pages for the matrix role × route × owner."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from server.base.access import Scope
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork
from server.console.models import FileState
from server.quiz.bank.importing import lock_bank
from server.quiz.bank.places import bank_slug
from server.quiz.enums import QuestionKind, QuestionState
from server.quiz.models import Question, QuestionImport
from tests.kit.console_matrix import Probe, list_probes

Make = Callable[[UnitOfWork, Scope, bool], Mapping[str, str]]
WRITTEN = {
    "kind": "single", "stem": "哪一个？", "option_a": "甲", "option_b": "乙", "right": "A",
    "difficulty": "2", "benchmark": "",
}  # fmt: skip


def a_question(uow: UnitOfWork, owner: Scope, published: bool) -> dict[str, str]:
    """A live question, or a draft."""
    return make_question(uow, owner, QuestionState.LIVE if published else QuestionState.DRAFT)


def a_sent_question(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    return make_question(uow, owner, QuestionState.DRAFT, sent=True)


def an_unsent_question(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    return make_question(uow, owner, QuestionState.DRAFT)


def make_question(
    uow: UnitOfWork,
    owner: Scope,
    state: QuestionState,
    *,
    sent: bool = False,
    writer_id: int | None = None,
) -> dict[str, str]:
    slug = bank_slug(owner)
    lock_bank(uow, slug, owner)
    ref = uow.new_ref("q").replace("_", "-")
    uow.session.add(
        Question(
            ref=ref, version=1, bank=slug, kind=QuestionKind.SINGLE, topic="", benchmark="",
            difficulty=2, stem=f"题目 {ref} 是哪一个？", options=["甲", "乙"], answer=[0],
            explanation="", source="", state=state, made_at=uow.now, writer_id=writer_id,
            sent_at=uow.now if sent else None, **owned_by(owner),
        )
    )  # fmt: skip
    uow.session.flush()
    return {"ref": ref}


def an_import(state: FileState) -> Make:
    """Makes an import of a file with one good question."""

    def make(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
        report = {
            "refused": False, "problems": [], "problem_count": 0, "warnings": [],
            "warning_count": 0, "added": 1, "changed": 0, "unchanged": 0, "columns": [],
            "ignored": [],
        }  # fmt: skip
        row = QuestionImport(
            ref=uow.new_ref("imp"), file_name="题目.csv", content=b"x", state=state,
            said={"columns": {}, "from_zero": False, "no_heading": False}, report=report,
            writer_id=0, made_at=uow.now, **owned_by(owner),
        )  # fmt: skip
        uow.session.add(row)
        uow.session.flush()
        return {"ref": row.ref}

    return make


_CHECKED, _STORED = an_import(FileState.CHECKED), an_import(FileState.STORED)
QUESTION_PROBES = {
    "GET /questions": Probe(make=a_question, shows="ref", upward=True),
    **list_probes("/questions"),
    "GET /questions/new": Probe(),
    "POST /questions/new": Probe(form=WRITTEN),
    "GET /questions/<ref>": Probe(make=a_question, upward=True),
    "GET /questions/<ref>/versions": Probe(make=a_question, upward=True),
    "GET /questions/<ref>/edit": Probe(make=a_question),
    "POST /questions/<ref>/edit": Probe(make=a_question, form=WRITTEN),
    "POST /questions/<ref>/send": Probe(make=an_unsent_question),
    "POST /questions/<ref>/approve": Probe(make=a_sent_question),
    "GET /questions/<ref>/return": Probe(make=a_sent_question),
    "POST /questions/<ref>/return": Probe(make=a_sent_question, form={"remark": "请改"}),
    "GET /questions/<ref>/retire": Probe(make=a_question),
    "POST /questions/<ref>/retire": Probe(make=a_question, form={"remark": "过时"}),
    "GET /questions/picked/send": Probe(),
    "POST /questions/picked/send": Probe(form={"picked": "x"}),
    "GET /questions/picked/approve": Probe(),
    "POST /questions/picked/approve": Probe(form={"picked": "x"}),
    "GET /questions/import": Probe(),
    "GET /questions/import/example": Probe(),
    "POST /questions/import": Probe(form={"pasted": "1. 水会流。（√）"}),
    "GET /questions/imports/<ref>": Probe(make=_CHECKED),
    "GET /questions/imports/<ref>/columns": Probe(make=_CHECKED),
    "POST /questions/imports/<ref>/columns": Probe(make=_CHECKED),
    "POST /questions/imports/<ref>/all": Probe(make=_CHECKED),
    "POST /questions/imports/<ref>/good": Probe(make=_CHECKED),
    "POST /questions/imports/<ref>/drop": Probe(make=_CHECKED),
    "POST /questions/imports/<ref>/send": Probe(make=_STORED),
    "POST /questions/imports/<ref>/approve": Probe(make=_STORED),
}
