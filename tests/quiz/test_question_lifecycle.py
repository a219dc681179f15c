"""Questions from draft to retirement: who may do what, and what citizens meanwhile see."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.audit.models import AuditRecord
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.bank import lifecycle, questions
from server.quiz.bank import service as banks
from server.quiz.bank.files.rows import Draft, RowStyle, read_draft
from server.quiz.bank.questions import QuestionFilter
from server.quiz.enums import QuestionKind, QuestionStage
from server.quiz.errors import OwnQuestion, QuestionInReview, WrongQuestionStage
from server.quiz.models import Question
from tests.kit.console import PEOPLE

EDITOR, APPROVER = PEOPLE["editor-county"], PEOPLE["approver-city"]
BANK = "county-450103"


def a_draft(stem: str = "哪一颗行星离太阳最近？", answer: str = "A") -> Draft:
    row = {
        "stem": stem,
        "option_a": "水星",
        "option_b": "金星",
        "answer": answer,
        "benchmark": "天文",
    }
    return read_draft(1, row, RowStyle())


def written(uow_factory: UnitOfWorkFactory, who: Organizer = EDITOR, **given: str) -> str:
    with uow_factory.begin(who) as uow:
        return lifecycle.write_question(uow, who, a_draft(**given))


def live(uow_factory: UnitOfWorkFactory) -> str:
    ref = written(uow_factory)
    with uow_factory.begin(EDITOR) as uow:
        lifecycle.send_question(uow, EDITOR, ref)
    with uow_factory.begin(APPROVER) as uow:
        lifecycle.approve_question(uow, APPROVER, ref)
    return ref


def stages(uow: UnitOfWork, ref: str, who: Organizer = EDITOR) -> list[tuple[int, str]]:
    found = questions.read_versions(uow, who, ref)
    return [(view.row.version, view.stage.value) for view in found]


def acts(uow: UnitOfWork) -> list[str]:
    return list(uow.session.scalars(select(AuditRecord.act).order_by(AuditRecord.number)))


def test_a_question_goes_from_draft_over_review_to_live_and_is_retired(
    uow_factory: UnitOfWorkFactory,
) -> None:
    ref = written(uow_factory)
    assert ref.endswith("-450103")
    with uow_factory.begin(read_only=True) as uow:
        assert stages(uow, ref) == [(1, "draft")]
        assert banks.bank_of(uow, BANK).live == []
    with uow_factory.begin(EDITOR) as uow:
        lifecycle.send_question(uow, EDITOR, ref)
        with pytest.raises(QuestionInReview):
            lifecycle.write_question(uow, EDITOR, a_draft("另一题？"), ref)
    with uow_factory.begin(APPROVER) as uow:
        assert [one.count for one in questions.tell_waiting(uow, APPROVER)] == [1]
        assert questions.tell_waiting(uow, EDITOR) == []
        lifecycle.approve_question(uow, APPROVER, ref)
    with uow_factory.begin(read_only=True) as uow:
        assert stages(uow, ref) == [(1, "live")]
        assert [item.ref for item in banks.bank_of(uow, BANK).live] == [ref]
    with uow_factory.begin(EDITOR) as uow:
        lifecycle.retire_question(uow, EDITOR, ref, "答案过时")
    with uow_factory.begin(read_only=True) as uow:
        assert stages(uow, ref) == [(1, "retired")]
        assert banks.bank_of(uow, BANK).live == []
        assert acts(uow) == [
            "quiz.write_question", "quiz.send_question", "quiz.approve_question",
            "quiz.retire_question",
        ]  # fmt: skip


def test_a_new_version_replaces_the_live_one_only_when_it_is_approved(
    uow_factory: UnitOfWorkFactory,
) -> None:
    ref = live(uow_factory)
    with uow_factory.begin(EDITOR) as uow:
        lifecycle.write_question(uow, EDITOR, a_draft("离太阳最近的是？"), ref)
        lifecycle.send_question(uow, EDITOR, ref)
    with uow_factory.begin(read_only=True) as uow:
        assert stages(uow, ref) == [(2, "review"), (1, "live")]
        first = banks.bank_of(uow, BANK).live[0]
    with uow_factory.begin(APPROVER) as uow:
        lifecycle.approve_question(uow, APPROVER, ref)
    with uow_factory.begin(read_only=True) as uow:
        assert stages(uow, ref) == [(2, "live"), (1, "retired")]
        bank = banks.bank_of(uow, BANK)
        assert [item.stem for item in bank.live] == ["离太阳最近的是？"]
        # Papers that were dealt the first version still find it.
        assert bank.by_id[first.id].stem == first.stem


def test_a_draft_is_changed_in_place_and_the_same_content_changes_nothing(
    uow_factory: UnitOfWorkFactory,
) -> None:
    ref = written(uow_factory)
    with uow_factory.begin(EDITOR) as uow:
        lifecycle.write_question(uow, EDITOR, a_draft("改过了？"), ref)
        lifecycle.write_question(uow, EDITOR, a_draft("改过了？"), ref)
    with uow_factory.begin(read_only=True) as uow:
        assert stages(uow, ref) == [(1, "draft")]
        assert acts(uow) == ["quiz.write_question"] * 2


def test_a_returned_question_is_a_draft_with_the_remark(uow_factory: UnitOfWorkFactory) -> None:
    ref = written(uow_factory)
    with uow_factory.begin(EDITOR) as uow:
        lifecycle.send_question(uow, EDITOR, ref)
    with uow_factory.begin(APPROVER) as uow:
        lifecycle.return_question(uow, APPROVER, ref, "请注明出处")
    with uow_factory.begin(EDITOR) as uow:
        (view,) = questions.read_versions(uow, EDITOR, ref)
        assert (view.stage, view.row.remark) == (QuestionStage.DRAFT, "请注明出处")
        with pytest.raises(WrongQuestionStage):
            lifecycle.approve_question(uow, APPROVER, ref)


def test_nobody_approves_a_question_of_his_own(uow_factory: UnitOfWorkFactory) -> None:
    """A person who became an approver meanwhile; alone and in bulk."""
    own = written(uow_factory)
    other = written(uow_factory, PEOPLE["editor-city"], stem="几颗？")
    with uow_factory.begin() as uow:
        row = uow.session.scalars(select(Question).where(Question.ref == own)).one()
        row.writer_id = APPROVER.id
    with uow_factory.begin(PEOPLE["editor-city"]) as uow:
        assert lifecycle.send_many(uow, PEOPLE["editor-city"], refs=[own, other]).changed == 2
    with uow_factory.begin(APPROVER) as uow:
        assert questions.count_waiting(uow, APPROVER) == 1
        with pytest.raises(OwnQuestion):
            lifecycle.approve_question(uow, APPROVER, own)
    with uow_factory.begin(APPROVER) as uow:
        done = lifecycle.approve_many(uow, APPROVER, refs=[own, other])
        assert (done.changed, done.own) == (1, 1)
    with uow_factory.begin(read_only=True) as uow:
        assert stages(uow, own, APPROVER) == [(1, "review")]
        assert stages(uow, other, APPROVER) == [(1, "live")]


def test_a_question_of_another_place_is_not_there(uow_factory: UnitOfWorkFactory) -> None:
    ref = written(uow_factory)
    stranger = PEOPLE["editor-other"]
    for change in (
        lambda uow: lifecycle.send_question(uow, stranger, ref),
        lambda uow: lifecycle.retire_question(uow, stranger, ref, "不"),
        lambda uow: lifecycle.write_question(uow, stranger, a_draft(), ref),
        lambda uow: questions.read_versions(uow, stranger, ref),
    ):
        with uow_factory.begin(stranger) as uow, pytest.raises(NotFound):
            change(uow)


def test_live_questions_of_a_higher_place_are_read_without_their_key(
    uow_factory: UnitOfWorkFactory,
) -> None:
    ref = live(uow_factory)
    with uow_factory.begin(EDITOR) as uow:
        lifecycle.write_question(uow, EDITOR, a_draft("还是草稿？"), ref)
    with uow_factory.begin(read_only=True) as uow:
        unit = PEOPLE["editor-unit"]
        (seen,) = questions.read_versions(uow, unit, ref)
        assert (seen.stage, seen.key_shown, seen.writable) == (QuestionStage.LIVE, False, False)
        assert [right for _, _, right in seen.shown_options] == [False, False]
        with pytest.raises(NotFound):
            lifecycle.read_latest(uow, unit, ref)
        rows = uow.session.execute(questions.select_questions(unit, QuestionFilter())).all()
        listed = [(r.Question.version, questions.key_is_shown(r.Question, r.reader)) for r in rows]
        assert listed == [(1, False)]


def test_an_auditor_of_the_place_reads_no_key(uow_factory: UnitOfWorkFactory) -> None:
    ref = written(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        (seen,) = questions.read_versions(uow, PEOPLE["auditor-county"], ref)
        assert not seen.key_shown
        (seen,) = questions.read_versions(uow, PEOPLE["approver-county"], ref)
        assert (seen.key_shown, seen.letters) == (True, "A")
        entry = uow.session.scalars(select(AuditRecord)).one()
        assert "金星" in str(entry.after)
        assert '"answer":"…"' in str(entry.after).replace(" ", "")


def test_the_list_is_filtered(uow_factory: UnitOfWorkFactory) -> None:
    first = written(uow_factory, stem="100% 的水？")
    second = live(uow_factory)
    with uow_factory.begin(read_only=True) as uow:

        def refs(**given: object) -> list[str]:
            asked = questions.select_questions(EDITOR, QuestionFilter(**given))  # type: ignore[arg-type]
            return [row.Question.ref for row in uow.session.execute(asked.order_by(Question.id))]

        assert refs() == [first, second]
        assert refs(words="100%") == [first]
        assert refs(words="水星 太阳") == [second]
        assert refs(stage=QuestionStage.LIVE) == [second]
        assert refs(kind=QuestionKind.JUDGE) == []
        assert refs(benchmark=13) == [first, second]
        assert refs(owner="city:450100") == []


def test_two_versions_stand_side_by_side(uow_factory: UnitOfWorkFactory) -> None:
    ref = live(uow_factory)
    with uow_factory.begin(EDITOR) as uow:
        lifecycle.write_question(uow, EDITOR, a_draft("哪一颗卫星离太阳最近？", "B"), ref)
    with uow_factory.begin(read_only=True) as uow:
        new, old = questions.read_versions(uow, EDITOR, ref)
        found = {one.name: one for one in questions.compare_versions(uow.texts, old, new)}
        assert found["stem"].left == [
            ("哪一颗", False),
            ("行", True),
            ("星离太阳最近？", False),
        ] or ("".join(text for text, _ in found["stem"].left) == old.row.stem)
        assert "".join(text for text, differs in found["stem"].left if not differs) == "".join(
            text for text, differs in found["stem"].right if not differs
        )
        assert [name for name, one in found.items() if one.differs] == ["stem", "answer"]
        blind = questions.read_versions(uow, PEOPLE["auditor-county"], ref)
        names = {one.name for one in questions.compare_versions(uow.texts, blind[1], blind[0])}
        assert not {"answer", "explanation"} & names
