"""Formats of question files: encodings, separators, workbooks, GIFT, Aiken and typed text.

The shapes are those of public question banks; every question is made up.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date

import pytest
import xlsxwriter

from server.console.sheets.reasons import FileRefused
from server.console.sheets.workbooks import MOST_UNPACKED
from server.quiz.bank.files.reading import ReadingOptions, Table, read_questions
from server.quiz.enums import QuestionKind

TITLES = ["题干", "选项A", "选项B", "选项C", "答案"]
PLANET = ["哪一颗行星离太阳最近？", "水星", "金星", "火星", "A"]
LINES = [",".join(TITLES), ",".join(PLANET)]


def a_workbook(*sheets: tuple[str, Sequence[Sequence[object]]], merge: str = "") -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(at, column, cell)
                    elif cell != "":
                        sheet.write(at, column, cell)
            if merge:
                sheet.merge_range(merge, rows[2][0])
    return made.getvalue()


def read(raw: bytes, name: str = "bank", **said: object) -> Table:
    return read_questions(name, raw, ReadingOptions(**said))  # type: ignore[arg-type]


def reasons(table: Table) -> list[str]:
    return [str(problem) for problem in table.every_problem]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "，"])
def test_every_encoding_is_read_with_every_separator(encoding: str, separator: str) -> None:
    text = "\r\n".join(line.replace(",", separator) for line in LINES)
    (draft,) = read(text.encode(encoding)).drafts
    assert (draft.stem, draft.options, draft.answer) == (PLANET[0], ("水星", "金星", "火星"), (0,))


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_a_line_that_names_the_separator_is_obeyed(first: str) -> None:
    (draft,) = read("\n".join([first, *LINES]).replace(",", ";").encode(), "a.csv").drafts
    assert (draft.line, draft.options[0]) == (3, "水星")


def test_a_separator_inside_of_options_is_no_separator() -> None:
    text = "题干;选项A;选项B;答案\n哪一组？;1,2,3;4,5,6;B"
    assert read(text.encode()).drafts[0].options == ("1,2,3", "4,5,6")


def test_titles_above_the_heading_are_skipped() -> None:
    rows = [["2026年科普题库"], ["填写说明：每行一题"], TITLES, PLANET]
    for raw in (
        a_workbook(("题库", rows)),
        "\n".join(",".join(row) for row in rows).encode(),
    ):
        (draft,) = read(raw, "a.csv").drafts
        assert draft.line == 4


def test_numbers_dates_and_truth_values_of_a_workbook_are_read_as_seen() -> None:
    rows = [
        ["题干", "选项A", "选项B", "选项C", "答案"],
        ["1加1等于几？", 2, 3.5, 0.1, 1],
        ["哪一天？", date(2018, 2, 1), "今天", "昨天", "A"],
        ["水会流。", "", "", "", True],
    ]
    found = read(a_workbook(("题库", rows)))
    assert [draft.options[:2] for draft in found.drafts] == [
        ("2", "3.5"), ("2018-02-01", "今天"), ("正确", "错误"),
    ]  # fmt: skip
    assert [str(warning) for warning in found.warnings] == [
        "line 3: option_a: a date, which the workbook may have made from something like 1-2"
    ]


def test_a_merged_cell_counts_for_each_of_its_rows() -> None:
    rows = [
        ["分类", *TITLES],
        ["天文", "第一题？", "水星", "金星", "火星", "A"],
        ["物理", "第二题？", "水", "冰", "汽", "B"],
        ["", "第三题？", "光", "电", "声", "C"],
    ]
    found = read(a_workbook(("题库", rows), merge="A3:A4"))
    assert [draft.topic for draft in found.drafts] == ["天文", "物理", "物理"]


def test_every_sheet_of_questions_is_read_and_its_name_may_tell_the_kind() -> None:
    raw = a_workbook(
        ("说明", [["请勿改动表头"]]),
        ("单选题", [TITLES, PLANET]),
        (
            "判断题",
            [["题干", "答案"], ["水会流。", "0"], ["冰会化。", "1"], ["火是冷的。", "也许"]],
        ),
    )
    found = read(raw)
    kinds = [(draft.sheet, draft.kind, draft.answer) for draft in found.drafts]
    assert kinds == [
        ("单选题", QuestionKind.SINGLE, (0,)),
        ("判断题", QuestionKind.JUDGE, (1,)),
        ("判断题", QuestionKind.JUDGE, (0,)),
    ]
    assert reasons(found) == ["判断题, line 4: answer: '也许' is neither right nor wrong"]
    assert found.ignored == ["说明"]


def packed(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return made.getvalue()


def understated(raw: bytes, size: int) -> bytes:
    """The archive with another size of its only member, in both headers."""
    real = zipfile.ZipFile(io.BytesIO(raw)).infolist()[0].file_size.to_bytes(4, "little")
    return raw.replace(real, size.to_bytes(4, "little"))


BOMB = packed(**{"xl__worksheets__sheet1.xml": b"0" * (MOST_UNPACKED + 1)})
FAR_CELL = b'<worksheet><c r="A1"/><c r="XFD1048576"/></worksheet>'


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (BOMB, "unpacks to more than 20 MiB"),
        (packed(**{"xl__worksheets__sheet1.xml": b"0" * 2_000_000}), "packed more than 100 times"),
        (understated(BOMB, 90_000), "is damaged"),
        (packed(**{"xl__worksheets__sheet1.xml": FAR_CELL}), "1048576 rows and 16384 columns"),
        (packed(**{"xl__worksheets__sheet1.xml": b"<worksheet/>"}), "is damaged"),
        (packed(**{"word__document.xml": b"<w/>"}), "a Word document"),
        (packed(mimetype=b"application/vnd.oasis"), "an archive that is no workbook"),
        (b"PK\x03\x04 broken", "is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old .xls"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x89PNG\r\n", "a picture"),
        (b"<!DOCTYPE html><table>", "a web page"),
        (b"<?xml version='1.0'?><quiz/>", "an XML document"),
        (b'{"question": "x", "options": ["(A)1", "(B)2"], "label": "A"}\n', "JSON"),
        ("春眠不觉晓，处处闻啼鸟。".encode(), "no question was found"),
        (b" \n ", "empty"),
    ],
)  # fmt: skip
def test_what_is_no_question_file_is_refused_with_a_clear_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        read(raw)


def test_a_bomb_is_refused_before_anything_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[str] = []
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *given: unpacked.append(str(given)))
    with pytest.raises(FileRefused):
        read(BOMB)
    assert unpacked == []


def test_more_than_fifty_thousand_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.console.sheets.grids.MOST_ROWS", 3)
    with pytest.raises(FileRefused, match="more than 3 rows"):
        read("\n".join([LINES[0], *[LINES[1]] * 24]).encode(), "a.csv")


def test_a_running_number_is_no_id_and_needs_no_heading() -> None:
    """English headings after an empty first one, as a public set of Chinese exam questions has."""
    rows = [
        "{},Question,A,B,C,D,Answer",
        "0,哪一颗？,水星,金星,火星,土星,A",
        "1,几颗？,七,八,九,十,B",
    ]
    bare = read("\n".join(rows).format("").encode(), "a.csv")
    assert [draft.has_own_ref for draft in bare.drafts] == [False, False]
    assert reasons(bare) == []
    numbered = read("\n".join(rows).format("id").encode(), "a.csv")
    assert [draft.has_own_ref for draft in numbered.drafts] == [False, False]
    assert [warning.why.code for warning in numbered.warnings] == ["number_as_id"]
    named = read("\n".join(rows).format("id").replace("0,", "K7,").encode(), "a.csv")
    assert [draft.ref for draft in named.drafts] == ["K7", "1"]


def test_columns_are_assigned_by_hand() -> None:
    text = "考题原文,甲,乙,谜底,心情\n哪一颗？,水星,金星,B,好\n"
    refused = read(text.encode(), "a.csv")
    assert (refused.drafts, len(refused.refused)) == ([], 1)
    first = refused.columns[0]
    assert (first.key, first.meaning, first.sample) == ("考题原文", None, "哪一颗？")
    columns = {
        "考题原文": "stem", "甲": "option_a", "乙": "option_b", "谜底": "answer", "心情": "-",
    }  # fmt: skip
    found = read(text.encode(), "a.csv", columns=columns)
    assert [(draft.options, draft.answer) for draft in found.drafts] == [(("水星", "金星"), (1,))]
    assert found.ignored == ["心情"]


def test_a_table_without_heading_is_read_once_its_columns_are_assigned() -> None:
    raw = a_workbook(("Sheet1", [["哪一颗？", "水星", "金星", "B"], ["几颗？", "七", "八", "B"]]))
    assert reasons(read(raw)) == ["line 1: no column for stem, answer"]
    columns = {"#1": "stem", "#2": "option_a", "#3": "option_b", "#4": "answer"}
    found = read(raw, no_heading=True, columns=columns)
    assert [(draft.line, draft.options) for draft in found.drafts] == [
        (1, ("水星", "金星")), (2, ("七", "八")),
    ]  # fmt: skip


def test_answers_count_from_zero_only_when_that_is_said() -> None:
    text = (
        "question,A,B,C,D,answer\n哪一颗？,水星,金星,火星,土星,0\n几颗？,七,八,九,十,1\n".encode()
    )
    assert "answers count from 0" in reasons(read(text, "a.csv"))[0]
    found = read(text, "a.csv", from_zero=True)
    assert [draft.answer for draft in found.drafts] == [(0,), (1,)]


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("A.admin B.root C.guest", ("admin", "root", "guest")),
        ("A．水星\nB．金星\nC．火星", ("水星", "金星", "火星")),
        ("A、水星；B、金星；C、火星", ("水星", "金星", "火星")),
        ("水星\n金星\n火星", ("水星", "金星", "火星")),
        ("水星|金星|火星", ("水星", "金星", "火星")),
    ],
)
def test_all_options_may_stand_in_one_cell(cell: str, options: tuple[str, ...]) -> None:
    found = read(a_workbook(("题库", [["问题", "选项", "答案"], ["哪一个？", cell, "C"]])))
    assert [(draft.options, draft.answer) for draft in found.drafts] == [(options, (2,))]


def test_a_cell_of_options_that_nothing_parts_is_refused() -> None:
    raw = a_workbook(("题库", [["问题", "选项", "答案"], ["哪一个？", "水星 金星 火星", "C"]]))
    assert "no letters A, B, C" in reasons(read(raw))[0]


def test_two_rows_of_the_same_benchmark_may_name_it_by_number_or_by_word() -> None:
    heading = "题干,选项A,选项B,答案,基准编号,基准"
    rows = ["甲？,是,否,A,13,", "乙？,是,否,A,,天文", "丙？,是,否,A,27,", "丁？,是,否,A,13,物理",
            "戊？,是,否,A,,占星"]  # fmt: skip
    found = read("\n".join([heading, *rows]).encode(), "a.csv")
    assert {(d.benchmark_no, d.benchmark, d.topic) for d in found.drafts} == {
        (13, "天文", "基础科学")
    }
    assert reasons(found) == [
        "line 4: benchmark_no: a number from 1 to 26 expected",
        "line 5: benchmark: number 13 is '天文', not '物理'",
        "line 6: benchmark: '占星' is none of the 26",
    ]
