"""Question tables from a file: taken as a whole or refused with line and reason."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.base.uow import UnitOfWorkFactory
from server.console.sheets.reasons import FileRefused
from server.quiz.attempts import service as attempts
from server.quiz.bank.commands import ImportReport, import_questions
from server.quiz.bank.files.reading import Draft, read_table
from server.quiz.enums import QuestionKind, QuestionState
from server.quiz.models import Question
from tests.kit.quiz import QUESTIONS, citizens, open_contest, started

HEADING = [
    "编号",
    "题型",
    "题干",
    "选项A",
    "选项B",
    "选项C",
    "选项D",
    "答案",
    "解析",
    "难度",
    "分类",
]
EARTH = [
    "E1",
    "单选题",
    "离太阳最近的行星是哪一颗？",
    "A.水星",
    "B、金星",
    "(C) 地球",
    "",
    "A",
    "最近。",
    "1",
    "天文",
]
WATER = [
    "E2",
    "判断",
    "水在标准大气压下100摄氏度沸腾。",
    "",
    "",
    "",
    "",
    "对",
    "定义。",
    "2",
    "物理",
]
BIRDS = ["E3", "多选", "下面哪些是鸟？", "麻雀", "蝙蝠", "企鹅", "鸵鸟", "A、C，D", "", "", ""]


def a_file(folder: Path, *rows: list[str], heading: list[str] | None = None) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([heading or HEADING, *rows])
    path = folder / "bank.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def changed(row: list[str], **cells: str) -> list[str]:
    return [cells.get(title, cell) for title, cell in zip(HEADING, row, strict=True)]


def drafts(path: Path) -> dict[str, Draft]:
    table = read_table(path)
    assert table.problems == []
    return {draft.ref: draft for draft in table.drafts}


def stored(uow_factory: UnitOfWorkFactory) -> list[tuple[str, int, str]]:
    with uow_factory.begin(read_only=True) as uow:
        asked = select(Question.ref, Question.version, Question.state)
        rows = uow.session.execute(asked.order_by(Question.ref, Question.version))
        return [(ref, version, state.value) for ref, version, state in rows]


def count(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalar(select(func.count()).select_from(Question)) or 0


def test_the_sixty_questions_are_imported_and_live(uow_factory: UnitOfWorkFactory) -> None:
    report = import_questions(uow_factory, QUESTIONS)
    assert (report.ok, report.count, report.added) == (True, 60, 60)
    with uow_factory.begin(read_only=True) as uow:
        kinds = dict(
            uow.session.execute(select(Question.kind, func.count()).group_by(Question.kind)).all()
        )
        states = set(uow.session.scalars(select(Question.state)))
    assert kinds == {QuestionKind.SINGLE: 38, QuestionKind.JUDGE: 13, QuestionKind.MULTIPLE: 9}
    assert states == {QuestionState.LIVE}


def test_the_second_import_changes_nothing(uow_factory: UnitOfWorkFactory) -> None:
    import_questions(uow_factory, QUESTIONS)
    report = import_questions(uow_factory, QUESTIONS)
    assert (report.added, report.changed, report.unchanged) == (0, 0, 60)
    assert count(uow_factory) == 60


def test_a_dry_run_tells_and_stores_nothing(uow_factory: UnitOfWorkFactory, tmp_path: Path) -> None:
    report = import_questions(uow_factory, a_file(tmp_path, EARTH, WATER), dry_run=True)
    assert (report.ok, report.count) == (True, 2)
    assert count(uow_factory) == 0


def test_chinese_headings_values_and_prefixed_options_are_understood(tmp_path: Path) -> None:
    found = drafts(a_file(tmp_path, EARTH, WATER, BIRDS))
    assert found["E1"].options == ("水星", "金星", "地球")
    assert (found["E1"].kind, found["E1"].answer, found["E1"].topic) == (
        QuestionKind.SINGLE,
        (0,),
        "天文",
    )
    assert (found["E2"].options, found["E2"].answer) == (("正确", "错误"), (0,))
    assert (found["E3"].kind, found["E3"].answer) == (QuestionKind.MULTIPLE, (0, 2, 3))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_utf8_with_and_without_mark_and_gbk_are_read(tmp_path: Path, encoding: str) -> None:
    path = a_file(tmp_path, EARTH, WATER)
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    assert drafts(path)["E1"].stem == EARTH[2]


@pytest.mark.parametrize(
    ("answer", "right"),
    [("A", 0), ("正确", 0), ("√", 0), ("是", 0), ("1", 0), ("t", 0),
     ("B", 1), ("错", 1), ("×", 1), ("否", 1), ("2", 1), ("false", 1)],
)  # fmt: skip
def test_a_judgement_may_be_written_in_many_ways(tmp_path: Path, answer: str, right: int) -> None:
    assert drafts(a_file(tmp_path, changed(WATER, 答案=answer)))["E2"].answer == (right,)


@pytest.mark.parametrize(("answer", "right"), [("A", 1), ("B", 0), ("对", 0), ("2", 0)])
def test_a_judgement_with_turned_options_means_what_it_shows(
    tmp_path: Path, answer: str, right: int
) -> None:
    row = changed(WATER, 选项A="错误", 选项B="正确", 答案=answer)
    assert drafts(a_file(tmp_path, row))["E2"].answer == (right,)


def test_a_number_names_an_option_and_the_kind_may_be_left_to_the_answer(tmp_path: Path) -> None:
    rows = [changed(EARTH, 题型="", 答案="3"), changed(BIRDS, 题型=""), changed(WATER, 题型="")]
    found = drafts(a_file(tmp_path, *rows))
    assert (found["E1"].kind, found["E1"].answer) == (QuestionKind.SINGLE, (2,))
    assert (found["E2"].kind, found["E3"].kind) == (QuestionKind.JUDGE, QuestionKind.MULTIPLE)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (changed(EARTH, 题干=""), "stem: empty"),
        (changed(EARTH, 答案="D"), "names an option that is not there"),
        (changed(EARTH, 答案="AB"), "a single choice has one right option"),
        (changed(EARTH, 答案="甲"), "not made of option letters"),
        (changed(EARTH, 答案=""), "not made of option letters"),
        (changed(BIRDS, 答案="A"), "two or more"),
        (changed(BIRDS, 答案="AA"), "a letter twice"),
        (changed(EARTH, 题型="填空"), "kind"),
        (changed(BIRDS, 选项B="麻 雀"), "two are the same"),
        (changed(EARTH, 选项B=""), "an empty one"),
        (changed(EARTH, 选项A="", 选项B="", 选项C=""), "fewer than two"),
        (changed(EARTH, 难度="9"), "difficulty"),
        (changed(EARTH, 难度="很"), "difficulty"),
        (changed(EARTH, 编号="E 1"), "ref"),
        (changed(EARTH, 题干="长" * 501), "longer than"),
        (changed(EARTH, 题干="有\x00零"), "control character"),
        (changed(WATER, 答案="也许"), "neither right nor wrong"),
        (changed(WATER, 选项A="正确", 选项B="也许"), "right and wrong"),
        ([*EARTH, "多出来的"], "more cells"),
    ],
)  # fmt: skip
def test_one_bad_row_refuses_the_file_with_its_line_and_reason(
    uow_factory: UnitOfWorkFactory, tmp_path: Path, row: list[str], reason: str
) -> None:
    good = changed(WATER, 编号="E9")
    report = import_questions(uow_factory, a_file(tmp_path, good, row))
    assert not report.ok
    (problem,) = report.problems
    assert problem.line == 3
    assert reason in problem.reason
    assert str(problem).startswith("line 3: ")
    assert (count(uow_factory), report.count) == (0, 0)


def test_lines_are_counted_as_an_editor_does_even_over_breaks(
    uow_factory: UnitOfWorkFactory, tmp_path: Path
) -> None:
    rows = [changed(EARTH, 解析="第一行\n第二行\n第三行"), ["", ""], changed(WATER, 答案="?")]
    report = import_questions(uow_factory, a_file(tmp_path, *rows))
    assert [problem.line for problem in report.problems] == [6]


def test_every_bad_row_is_told(uow_factory: UnitOfWorkFactory, tmp_path: Path) -> None:
    rows = [changed(EARTH, 编号=f"X{n}", 题干=f"第{n}题", 答案="D") for n in range(30)]
    report = import_questions(uow_factory, a_file(tmp_path, *rows))
    assert [problem.line for problem in report.problems] == list(range(2, 32))


def test_the_same_question_twice_is_refused_however_it_is_spaced(
    uow_factory: UnitOfWorkFactory, tmp_path: Path
) -> None:
    twin = changed(
        EARTH,
        编号="E7",
        题干="离太阳最近的 行星是哪一颗？",
        选项A="A.地 球",
        选项C="C.水星",
        答案="C",
    )
    same_stem = changed(EARTH, 编号="E8", 选项C="火星")
    same_ref = changed(WATER, 编号="E8")
    report = import_questions(uow_factory, a_file(tmp_path, EARTH, twin, same_stem, same_ref))
    assert [str(problem) for problem in report.problems] == [
        "line 3: the same question as in line 2",
        "line 5: the same id as in line 4",
    ]


def test_a_question_that_the_bank_has_under_another_id_is_refused(
    uow_factory: UnitOfWorkFactory, tmp_path: Path
) -> None:
    assert import_questions(uow_factory, a_file(tmp_path, EARTH)).ok
    report = import_questions(uow_factory, a_file(tmp_path, changed(EARTH, 编号="E7")))
    assert [str(problem) for problem in report.problems] == [
        "line 2: the bank has this question as E1"
    ]
    other = import_questions(uow_factory, a_file(tmp_path, EARTH), bank="other")
    assert [str(problem) for problem in other.problems] == [
        "line 2: id E1 belongs to the bank demo"
    ]


def test_changed_content_becomes_a_new_version(
    uow_factory: UnitOfWorkFactory, tmp_path: Path
) -> None:
    assert import_questions(uow_factory, a_file(tmp_path, EARTH, WATER)).ok
    report = import_questions(uow_factory, a_file(tmp_path, changed(EARTH, 解析="改过了。"), WATER))
    assert (report.added, report.changed, report.unchanged) == (0, 1, 1)
    assert stored(uow_factory) == [("E1", 1, "retired"), ("E1", 2, "live"), ("E2", 1, "live")]
    with uow_factory.begin() as uow:
        row = uow.session.scalars(select(Question).where(Question.ref == "E2")).one()
        row.state = QuestionState.RETIRED
    assert import_questions(uow_factory, a_file(tmp_path, WATER)).unchanged == 1
    assert ("E2", 1, "live") in stored(uow_factory)


def test_an_open_paper_keeps_the_version_it_was_dealt(
    uow_factory: UnitOfWorkFactory, tmp_path: Path
) -> None:
    contest = open_contest(uow_factory)
    (citizen,) = citizens(uow_factory, 1)
    with uow_factory.begin() as uow:
        view = started(uow, contest, citizen)
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        heading, *rows = list(csv.reader(file))
    for row in rows:
        row[heading.index("stem")] += "（修订）"
    report = import_questions(uow_factory, a_file(tmp_path, *rows, heading=heading))
    assert report.changed == 60
    with uow_factory.begin(read_only=True) as uow:
        again = attempts.read_paper(uow, view.sheet.ref, citizen)
    assert [slot.item for slot in again.slots] == [slot.item for slot in view.slots]
    (newcomer,) = citizens(uow_factory, 1)
    with uow_factory.begin() as uow:
        fresh = started(uow, contest, newcomer)
    assert all(slot.item.stem.endswith("（修订）") for slot in fresh.slots)


def test_rows_without_an_id_get_the_same_one_each_time(
    uow_factory: UnitOfWorkFactory, tmp_path: Path
) -> None:
    path = a_file(tmp_path, changed(EARTH, 编号=""), changed(WATER, 编号=""))
    assert import_questions(uow_factory, path).added == 2
    assert import_questions(uow_factory, path).unchanged == 2


@pytest.mark.parametrize("name", ["bank.xlsx", "bank.gift", "bank.txt", "bank"])
def test_the_content_and_not_the_name_tells_the_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(QUESTIONS.read_bytes())
    assert len(read_table(path).drafts) == 60


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"\xff\xff\xff\x80\xff", "neither UTF-8, UTF-16 nor GB18030"),
        (b"id,stem\n1,x\n", "no column for answer"),
        ("题干,题目,答案\n".encode(), "two columns are stem"),
        (b'stem,answer\n"x,A\n', "line 2"),
    ],
)
def test_a_file_that_is_no_table_of_questions_is_refused(
    uow_factory: UnitOfWorkFactory, tmp_path: Path, raw: bytes, reason: str
) -> None:
    path = tmp_path / "bank.csv"
    path.write_bytes(raw)
    report: ImportReport = import_questions(uow_factory, path)
    assert reason in str(report.problems[0])
    assert (
        import_questions(uow_factory, tmp_path / "gone.csv")
        .problems[0]
        .reason.startswith("gone.csv")
    )


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.quiz.bank.files.reading.MOST_BYTES", 100)
    with pytest.raises(FileRefused, match="larger"):
        read_table(a_file(tmp_path, EARTH))


def test_twelve_thousand_rows_go_in_at_once(uow_factory: UnitOfWorkFactory, tmp_path: Path) -> None:
    rows = [changed(EARTH, 编号=f"B{n}", 题干=f"第{n}个问题是什么？") for n in range(12_000)]
    assert import_questions(uow_factory, a_file(tmp_path, *rows)).added == 12_000
