"""Uploaded files: what both kinds, questions and units, do alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select

from server.activities.activity_files import ACTIVITY_FILES
from server.activities.models import Activity
from server.audit.models import AuditRecord
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.uow import UnitOfWorkFactory
from server.console.checked_files import CheckedUpload, FileNotReady
from server.console.models import FileState
from server.organizers.unit_files import UNIT_FILES
from server.quiz.bank.file_imports import QUESTION_FILES
from server.quiz.models import Question
from server.units.models import Unit
from tests.kit.console import PEOPLE
from tests.kit.jobs import run_jobs


@dataclass(frozen=True, kw_only=True)
class Kind:
    upload: CheckedUpload[Any]
    who: Organizer
    below: Organizer
    table: type[Any]
    head: str
    good: str
    bad: str

    def keep(self, uow_factory: UnitOfWorkFactory, *rows: str) -> str:
        text = "\n".join([self.head, *rows]).encode()
        switches = {"from_zero": False, "no_heading": False}
        with uow_factory.begin(self.who) as uow:
            ref = self.upload.keep_file(uow, self.who, "表.csv", text, **switches)
        assert run_jobs(uow_factory) == 1
        return ref

    def confirm(self, uow_factory: UnitOfWorkFactory, ref: str, *, good_only: bool) -> None:
        with uow_factory.begin(self.who) as uow:
            self.upload.confirm_file(uow, self.who, ref, good_only=good_only)

    def drop(self, uow_factory: UnitOfWorkFactory, ref: str) -> None:
        with uow_factory.begin(self.who) as uow:
            self.upload.drop_file(uow, self.who, ref)

    def count(self, uow_factory: UnitOfWorkFactory) -> int:
        with uow_factory.begin(read_only=True) as uow:
            return uow.session.scalar(select(func.count()).select_from(self.table)) or 0

    def state(self, uow_factory: UnitOfWorkFactory, ref: str) -> tuple[FileState, int]:
        with uow_factory.begin(read_only=True) as uow:
            row = self.upload.find_file(uow, self.who, ref)
            return row.state, (row.report or {}).get("problem_count", 0)


KINDS = {
    "questions": Kind(
        upload=QUESTION_FILES, who=PEOPLE["editor-city"], below=PEOPLE["editor-county"],
        table=Question, head="题干,选项A,选项B,答案", good="哪一颗？,水星,金星,A",
        bad="坏题？,甲,甲,A",
    ),
    "units": Kind(
        upload=UNIT_FILES, who=PEOPLE["system_admin-city"], below=PEOPLE["system_admin-county"],
        table=Unit, head="单位名称,类别", good="甲校,学校", bad="乙校,不知道",
    ),
    "activities": Kind(
        upload=ACTIVITY_FILES, who=PEOPLE["editor-city"], below=PEOPLE["editor-county"],
        table=Activity, head="活动名称,活动地点,开始时间,结束时间,名额,报名开始,报名截止",
        good="讲,馆,2026-05-16 15:00,2026-05-16 17:00,9,2026-05-02 9:00,2026-05-16 12:00",
        bad="坏,馆,2026-05-16 15:00,2026-05-16 14:00,9,2026-05-02 9:00,2026-05-16 12:00",
    ),
}  # fmt: skip


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def test_one_bad_row_refuses_all_or_is_left_out_by_choice(
    uow_factory: UnitOfWorkFactory, kind: Kind
) -> None:
    ref = kind.keep(uow_factory, kind.good, kind.bad)
    assert kind.state(uow_factory, ref) == (FileState.CHECKED, 1)
    with pytest.raises(FileNotReady):
        kind.confirm(uow_factory, ref, good_only=False)
    assert kind.count(uow_factory) == 0
    kind.confirm(uow_factory, ref, good_only=True)
    assert run_jobs(uow_factory) == 1
    assert kind.count(uow_factory) == 1
    # The page still tells which rows were left out.
    assert kind.state(uow_factory, ref) == (FileState.STORED, 1)
    with pytest.raises(FileNotReady):
        kind.drop(uow_factory, ref)


def test_a_file_is_given_up_before_its_rows_are_stored(
    uow_factory: UnitOfWorkFactory, kind: Kind
) -> None:
    ref = kind.keep(uow_factory, kind.good)
    kind.confirm(uow_factory, ref, good_only=False)
    kind.drop(uow_factory, ref)
    assert run_jobs(uow_factory) == 0
    assert kind.state(uow_factory, ref)[0] is FileState.DROPPED
    with pytest.raises(FileNotReady):
        kind.drop(uow_factory, ref)
    assert kind.count(uow_factory) == 0
    with uow_factory.begin(read_only=True) as uow:
        acts = uow.session.scalars(select(AuditRecord.act).order_by(AuditRecord.number)).all()
    assert len(acts) == 3


def test_a_file_belongs_to_its_place(uow_factory: UnitOfWorkFactory, kind: Kind) -> None:
    ref = kind.keep(uow_factory, kind.good)
    with uow_factory.begin(kind.below) as uow:
        assert kind.upload.list_files(uow, kind.below) == []
        with pytest.raises(NotFound):
            kind.upload.find_file(uow, kind.below, ref)
        with pytest.raises(NotFound):
            kind.upload.confirm_file(uow, kind.below, ref, good_only=True)
