"""Question tables as other people write them: what is content stays, what is unclear is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from server.base.uow import UnitOfWorkFactory
from server.quiz.bank.commands import import_questions
from server.quiz.bank.files.options import LETTERS, without_labels
from server.quiz.bank.files.reading import Draft, Table, read_table
from server.quiz.bank.files.sameness import exact_form, likeness_key, sameness_key
from server.quiz.enums import QuestionKind
from tests.kit.quiz import QUESTIONS


def a_file(folder: Path, heading: str | Sequence[str], *rows: Sequence[str]) -> Path:
    titles = heading.split(",") if isinstance(heading, str) else heading
    text = io.StringIO()
    csv.writer(text).writerows([titles, *rows])
    path = folder / "bank.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def table(folder: Path, heading: str | Sequence[str], *rows: Sequence[str]) -> Table:
    return read_table(a_file(folder, heading, *rows))


def one(folder: Path, options: Sequence[str], answer: str = "A", kind: str = "单选") -> Draft:
    """The only question of a file whose options stand in lettered columns."""
    titles = ["题干", "题型", *(f"选项{letter}" for letter in LETTERS[: len(options)]), "答案"]
    found = table(folder, titles, ["哪一个？", kind, *options, answer])
    assert found.problems == []
    return found.drafts[0]


def refused(folder: Path, options: Sequence[str], answer: str = "A", kind: str = "单选") -> str:
    titles = ["题干", "题型", *(f"选项{letter}" for letter in LETTERS[: len(options)]), "答案"]
    found = table(folder, titles, ["哪一个？", kind, *options, answer])
    assert found.drafts == []
    return "; ".join(problem.reason for problem in found.problems)


@pytest.mark.parametrize(
    "options",
    [
        ["1", "-1", "±1", "0"],
        ["BB", "Bb", "bb", "B"],
        ["＞100℃", "＜100℃", "=100℃", "≈100℃"],
        ["1.5", "15", "0.15", "1,5"],
        ["Na+", "Na-", "Na", "na"],
        ["m²", "m2", "m³", "m"],
        ["H₂O", "H2O", "H2O2", "HO"],
        ["x>0", "x≥0", "x<0", "x≤0"],
        ["10⁻³", "10³", "10-3", "10^3"],
        ["（-2）", "2", "-2", "|-2|"],
        ["a→b", "a←b", "a↔b", "ab"],
        ["5:3", "53", "5/3", "5÷3"],
        ["Co", "CO", "co", "C₀"],
        ["mW", "MW", "kW", "W"],
        ["pH<7", "pH>7", "pH=7", "pH"],
        ["37%", "37", "37‰", "37°"],
        ["①②", "①③", "②③", "①②③"],
        ["“的”", "的", "‘的’", "《的》"],
        ["￥10", "$10", "10", "１０"],
        ["Ⅰ", "I", "Ⅱ", "II"],
        ["+3℃", "-3℃", "3℃", "3°C"],
        ["1 1/2", "11/2", "1/2", "2"],
        ["?", "!", ".", ","],
    ],
)
def test_options_that_differ_in_a_sign_or_a_case_are_different(
    tmp_path: Path, options: list[str]
) -> None:
    assert one(tmp_path, options).options == tuple(options)


@pytest.mark.parametrize(
    "options",
    [
        ["水星", "水 星"],
        ["地球", "　地球"],
        ["a b", "a  b"],
        ["水\u200b星", "水星"],
        ["caf\u00e9", "cafe\u0301"],
        ["第一行\n第二行", "第一行 第二行"],
    ],
)
def test_options_that_differ_in_what_cannot_be_seen_are_the_same(
    tmp_path: Path, options: list[str]
) -> None:
    assert "two are the same" in refused(tmp_path, options)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("pH<7 的溶液一定是酸性的吗？", "pH>7 的溶液一定是酸性的吗？"),
        ("(-2)+3=？", "2+3=？"),
        ("x²=4 的解是？", "x2=4 的解是？"),
        ("Aa 与 Aa 杂交", "AA 与 aa 杂交"),
        ("0.5 米是几厘米？", "05 米是几厘米？"),
        ("他说：“走！”", "他说：走"),
    ],
)
def test_rows_that_differ_in_a_sign_are_two_questions(
    uow_factory: UnitOfWorkFactory, tmp_path: Path, first: str, second: str
) -> None:
    path = a_file(
        tmp_path, "题干,选项A,选项B,答案", [first, "是", "否", "A"], [second, "是", "否", "A"]
    )
    report = import_questions(uow_factory, path)
    assert (report.problems, report.added) == ((), 2)
    assert import_questions(uow_factory, path).unchanged == 2


def test_near_twins_are_warnings_that_name_the_line(
    uow_factory: UnitOfWorkFactory, tmp_path: Path
) -> None:
    path = a_file(
        tmp_path,
        "id,题干,选项A,选项B,答案",
        ["E1", "离太阳最近的行星，是哪一颗？", "水星", "金星", "A"],
        ["E2", "离太阳最近的行星是哪一颗?", "金星", "水星", "B"],
        ["E3", "面积的单位是？", "m²", "m2", "A"],
    )
    report = import_questions(uow_factory, path)
    assert (report.ok, report.added) == (True, 3)
    assert [str(warning) for warning in report.warnings] == [
        "line 3: the question is nearly the same as line 2",
        "line 4: options: two are nearly the same",
    ]
    again = a_file(tmp_path, "id,题干,选项A,选项B,答案",
                   ["E9", "离太阳最近的行星、是哪一颗？", "水星", "金星", "A"])  # fmt: skip
    assert [str(warning) for warning in import_questions(uow_factory, again).warnings] == [
        "line 2: the question is nearly the same as E2 of the bank"
    ]


def test_the_campaigns_own_questions_need_no_warning(uow_factory: UnitOfWorkFactory) -> None:
    report = import_questions(uow_factory, QUESTIONS)
    assert (report.ok, report.warnings, report.ignored_columns) == (True, (), ())


def test_only_the_same_words_are_the_same_question() -> None:
    assert sameness_key("水 在？", ["甲", "乙"]) == sameness_key("水在？", ["乙", "甲 "])
    assert sameness_key("x²", ["甲"]) != sameness_key("x2", ["甲"])
    assert likeness_key("x²", ["甲"]) == likeness_key("X2。", ["甲"])
    assert exact_form("1 1/2") != exact_form("11/2")


@pytest.mark.parametrize(
    "heading",
    [
        "题目,选项1,选项2,选项3,选项4,答案",
        "题干,选项A,选项B,选项Ｃ,选项Ｄ,正确答案",
        "试题,A选项,B选项,C选项,D选项,标准答案",
        "问题,A,B,C,D,参考答案",
        "题目（必填）,选项A（必填）,选项B（必填）,选项C,选项D,正确选项（必填）",
        "题目内容,选项 A,选项 B,选项 C,选项 D,答案（多选用逗号分隔）",
        "question,option1,option2,option3,option4,correct_answer",
        "Question Text,Option A,Option B,Option C,Option D,Correct Answer",
        "questionText,optionA,optionB,optionC,optionD,correctAnswer",
        "*题干,*选项A,*选项B,选项C,选项D,*答案",
        "stem,choice_a,choice_b,choice_c,choice_d,answer",
        "题干,备选选项A,备选选项B,备选选项C,备选选项D,答案",
        "题干,a,b,c,d,答案",
        "题干,Ａ项,Ｂ项,Ｃ项,Ｄ项,答案",
    ],
)
def test_headings_of_the_field_are_read(tmp_path: Path, heading: str) -> None:
    found = table(tmp_path, heading, ["哪一颗？", "水星", "金星", "地球", "火星", "C"])
    assert (found.problems, found.ignored) == ([], [])
    (draft,) = found.drafts
    assert (draft.kind, draft.options) == (QuestionKind.SINGLE, ("水星", "金星", "地球", "火星"))
    assert draft.answer == (2,)


@pytest.mark.parametrize(
    "heading",
    [
        "题干,选项A,选项B,选项C,第四项,答案",
        "题干,选项A,选项B,选项C,选项D解析,答案",
        "题干,选项A,选项B,选项C,选项0,答案",
        "题干,选项A,选项B,选项C,,答案",
        "题干,选项A,选项B,选项C,心情,答案",
        "题干,第一项,第二项,第三项,第四项,答案",
        "题干,选项,选项一,选项二,选项三,答案",
    ],
)
def test_a_column_that_nobody_reads_and_that_holds_something_refuses_the_file(
    uow_factory: UnitOfWorkFactory, tmp_path: Path, heading: str
) -> None:
    path = a_file(tmp_path, heading, ["哪一颗？", "水星", "金星", "地球", "火星", "A"])
    report = import_questions(uow_factory, path)
    assert not report.ok
    assert {problem.line for problem in report.problems} == {1}
    for title in set(heading.split(",")) & {"第四项", "选项D解析", "选项0", "心情"}:
        assert any(title in problem.reason for problem in report.problems)
    assert import_questions(uow_factory, path, dry_run=True).problems == report.problems


def test_a_question_has_up_to_six_options_and_no_further_one_vanishes(tmp_path: Path) -> None:
    titles = ["题干", *(f"选项{letter}" for letter in "ABCDEFGHI"), "答案"]
    six = table(tmp_path, titles, ["哪一个？", *"一二三四五六", "", "", "", "F"])
    assert (six.drafts[0].options, six.drafts[0].answer) == (tuple("一二三四五六"), (5,))
    for count in (7, 8):
        row = ["哪一个？", *"一二三四五六七八"[:count], *[""] * (9 - count), "A"]
        (problem,) = table(tmp_path, titles, row).problems
        assert problem.reason == "options: more than 6"
    nine = table(tmp_path, titles, ["哪一个？", *"一二三四五六七八九", "H"])
    assert [problem.line for problem in nine.refused] == [1]
    assert "选项I" in nine.refused[0].reason


def test_columns_that_tell_about_a_question_are_named_and_left_out(
    uow_factory: UnitOfWorkFactory, tmp_path: Path
) -> None:
    path = a_file(
        tmp_path,
        "序号,章节,题干,选项A,选项B,答案,分值,空列",
        ["1", "天文", "哪一颗？", "水星", "金星", "A", "2", ""],
    )
    report = import_questions(uow_factory, path)
    assert (report.ok, report.added) == (True, 1)
    assert report.ignored_columns == ("序号", "章节", "分值", "空列")


@pytest.mark.parametrize("answer", ["A", "B", "1", "2"])
def test_a_row_without_options_is_no_judgement_because_of_a_letter(
    tmp_path: Path, answer: str
) -> None:
    found = table(tmp_path, "题干,答案", ["下列正确的是：A.水星 B.金星", answer])
    assert [problem.reason for problem in found.problems] == [
        "kind: no options, and the answer is neither right nor wrong"
    ]
    assert table(tmp_path, "题干,答案", ["水会流。", "对"]).drafts[0].kind is QuestionKind.JUDGE


@pytest.mark.parametrize("pair", ["正确,错误", "错误,正确", "对,错", "√,×"])
def test_two_options_right_and_wrong_make_a_judgement_without_a_column_for_kinds(
    tmp_path: Path, pair: str
) -> None:
    letter = "A" if pair.split(",")[0] in "正确对√" else "B"
    rows = [
        [f"水会流{at}。", *pair.split(","), "", given]
        for at, given in enumerate(["对", "√", "正确", letter])
    ]
    choice = ["哪一颗行星最大？", "木星", "土星", "火星", "A"]
    found = table(tmp_path, "题干,选项A,选项B,选项C,答案", *rows, choice)
    assert not found.problems
    *judged, chosen = found.drafts
    assert {(one.kind, one.options, one.answer) for one in judged} == {
        (QuestionKind.JUDGE, ("正确", "错误"), (0,))
    }
    assert chosen.kind is QuestionKind.SINGLE


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("单选题", ["正确", "错误"]),
        ("", ["是", "否"]),
        ("", ["T", "F"]),
        ("", ["1", "2"]),
        ("", ["正确", "不能确定"]),
    ],
)
def test_two_options_that_may_be_content_stay_a_choice(
    tmp_path: Path, kind: str, options: list[str]
) -> None:
    found = table(tmp_path, "题型,题干,选项A,选项B,答案", [kind, "哪一个？", *options, "A"])
    one = found.drafts[0] if found.drafts else None
    assert one is None or (one.kind, one.options) == (QuestionKind.SINGLE, tuple(options))


@pytest.mark.parametrize(
    "options",
    [
        ["C、H、O、N", "C、H、O", "N、P", "H、O"],
        ["C、H、O、N", "C、H、O、P", "C、H、N、P", "C、O、N、P"],
        ["E. coli", "S. aureus", "B. subtilis", "酵母"],
        ["E. coli", "B. subtilis"],
        ["a.m.", "p.m."],
        ["A、B", "B、C", "C、D", "A、D"],
        ["A、B、C", "A、B", "B、C", "以上都对"],
        ["D.H.劳伦斯", "A.爱因斯坦", "牛顿"],
        ["B.C. 221", "A.D. 618", "1949"],
        ["C:\\Windows", "D:\\data", "/tmp"],
        ["F=ma", "E=mc²", "A=πr²", "C=2πr"],
        ["A型", "B型", "AB型", "O型"],
        ["维生素A", "维生素B", "维生素C", "维生素D"],
        ["A. 甲", "乙", "丙", "丁"],
    ],
)
def test_a_letter_that_is_content_stays(tmp_path: Path, options: list[str]) -> None:
    assert one(tmp_path, options).options == tuple(options)


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["A.甲", "B、乙", "(C) 丙", "D：丁"], ["甲", "乙", "丙", "丁"]),
        (["A．甲", "B．乙"], ["甲", "乙"]),
        (["（A）甲", "（B）乙", "（C）丙"], ["甲", "乙", "丙"]),
        (["a. 甲", "b. 乙", "c. 丙"], ["甲", "乙", "丙"]),
        (["A) 1", "B) 2"], ["1", "2"]),
        (["A.A型", "B.B型", "C.AB型", "D.O型"], ["A型", "B型", "AB型", "O型"]),
        (["A.C、H、O、N", "B.E. coli"], ["C、H、O、N", "E. coli"]),
        (["【A】甲", "【B】乙"], ["甲", "乙"]),
    ],
)
def test_letters_go_where_every_option_carries_its_own(
    tmp_path: Path, options: list[str], shown: list[str]
) -> None:
    assert one(tmp_path, options).options == tuple(shown)


@pytest.mark.parametrize(
    "options",
    [
        ["B.甲", "A.乙", "D.丙", "C.丁"],
        ["B、甲", "A、乙"],
        ["A.甲", "C.乙", "B.丙"],
        ["A.甲", "B.乙", "D.丙", "D.丁"],
    ],
)
def test_letters_that_contradict_their_columns_are_refused(
    tmp_path: Path, options: list[str]
) -> None:
    assert "contradict their columns" in refused(tmp_path, options)


def test_labels_stay_where_without_them_nothing_or_the_same_would_be_left() -> None:
    assert without_labels(["A.", "B."]) == ("A.", "B.")
    assert without_labels(["A.点", "B.点"]) == ("A.点", "B.点")
    assert without_labels([]) == ()


def test_letters_before_some_options_only_are_a_warning(tmp_path: Path) -> None:
    found = table(
        tmp_path, "题干,选项A,选项B,选项C,答案", ["哪一颗？", "A.水星", "B.金星", "地球", "C"]
    )
    assert found.drafts[0].options == ("A.水星", "B.金星", "地球")
    assert [warning.line for warning in found.warnings] == [2]


@pytest.mark.parametrize("answer", ["0", "0,2", "2、0", "01"])
def test_an_answer_that_counts_from_zero_refuses_the_whole_file(
    uow_factory: UnitOfWorkFactory, tmp_path: Path, answer: str
) -> None:
    path = a_file(
        tmp_path,
        "题干,选项A,选项B,选项C,选项D,答案",
        ["第一题", "甲", "乙", "丙", "丁", "1"],
        ["第二题", "甲", "乙", "丙", "丁", "3"],
        ["第三题", "甲", "乙", "丙", "丁", answer],
    )
    report = import_questions(uow_factory, path)
    assert not report.ok
    assert str(report.problems[0]) == (
        "line 1: answers count from 0 (line 4): write letters, or 1, 2, 3"
    )


def test_numbers_from_one_are_options_and_a_text_is_its_option(tmp_path: Path) -> None:
    assert one(tmp_path, ["甲", "乙", "丙"], "3").answer == (2,)
    assert one(tmp_path, ["甲", "乙", "丙"], "1,3", "多选").answer == (0, 2)
    assert one(tmp_path, ["甲", "乙", "丙"], "13", "多选").answer == (0, 2)
    assert one(tmp_path, ["甲", "乙", "丙"], "乙").answer == (1,)
    assert one(tmp_path, ["0", "1", "10", "100"], "0").answer == (0,)
    assert one(tmp_path, ["10", "12", "14", "16"], "12").answer == (1,)
    assert one(tmp_path, ["A", "B", "AB", "O"], "AB").answer == (2,)
    assert one(tmp_path, ["A", "B", "AB", "O"], "A").answer == (0,)


@pytest.mark.parametrize(
    ("options", "answer", "kind"),
    [
        (["2", "4", "6", "8"], "4", "单选"),
        (["0", "1", "2", "3"], "1", "单选"),
        (["A", "B", "AB", "O"], "AB", ""),
    ],
)
def test_an_answer_that_names_two_options_in_two_ways_is_refused(
    tmp_path: Path, options: list[str], answer: str, kind: str
) -> None:
    assert "is the text of" in refused(tmp_path, options, answer, kind)


@pytest.mark.parametrize(
    ("options", "letter", "at"),
    [
        (["BB", "Bb", "bb", "B"], "B", 1),
        (["BB", "Bb", "bb", "B"], "d", 3),
        (["B", "A", "AB", "O"], "A", 0),
        (["B", "A", "AB", "O"], "Ｂ", 1),
    ],
)
def test_where_every_answer_is_a_letter_it_names_its_own_column(
    tmp_path: Path, options: list[str], letter: str, at: int
) -> None:
    assert one(tmp_path, options, letter).answer == (at,)


def beside_a_text(tmp_path: Path, options: list[str], letter: str) -> Table:
    """A file in which another answer is the text of its option."""
    heading = "题目,选项A,选项B,选项C,选项D,答案"
    other = ["几月？", "甲", "乙", "丙", "丁", "乙"]
    return table(tmp_path, heading, ["哪一个？", *options, letter], other)


def test_a_letter_that_is_also_an_option_is_doubtful_beside_answers_in_words(
    tmp_path: Path,
) -> None:
    mixed = beside_a_text(tmp_path, ["B", "A", "D", "C"], "A")
    (problem,) = mixed.problems
    assert "is the text of" in problem.reason
    assert len(mixed.drafts) == 1


def test_a_letter_that_is_no_option_stays_a_letter_beside_answers_in_words(
    tmp_path: Path,
) -> None:
    mixed = beside_a_text(tmp_path, ["一", "二", "三", "四"], "C")
    assert mixed.problems == []
    assert [draft.answer for draft in mixed.drafts] == [(2,), (1,)]


@pytest.mark.parametrize(
    ("word", "kind"),
    [("单项选择题", QuestionKind.SINGLE), ("选择题", QuestionKind.SINGLE),
     ("", QuestionKind.SINGLE), ("single_choice", QuestionKind.SINGLE)],
)  # fmt: skip
def test_kinds_have_many_names(tmp_path: Path, word: str, kind: QuestionKind) -> None:
    assert one(tmp_path, ["甲", "乙"], "B", word).kind is kind
    if word in ("", "选择题"):
        assert one(tmp_path, ["甲", "乙"], "AB", word).kind is QuestionKind.MULTIPLE


@pytest.mark.parametrize(
    ("word", "level"), [("易", 1), ("简单", 1), ("中等", 2), ("hard", 3), ("难", 3), ("", 2)]
)
def test_difficulty_may_be_a_word(tmp_path: Path, word: str, level: int) -> None:
    found = table(tmp_path, "题干,选项A,选项B,答案,难度", ["哪一个？", "甲", "乙", "A", word])
    assert found.drafts[0].difficulty == level


def test_a_question_without_an_id_is_found_again_in_the_bank(
    uow_factory: UnitOfWorkFactory, tmp_path: Path
) -> None:
    named = a_file(tmp_path, "id,题干,选项A,选项B,答案", ["E1", "哪一个？", "甲", "乙", "A"])
    assert import_questions(uow_factory, named).added == 1
    bare = a_file(tmp_path, "题干,选项A,选项B,答案", ["哪一个 ？", "乙", "甲", "B"])
    report = import_questions(uow_factory, bare)
    assert (report.ok, report.added, report.changed) == (True, 0, 1)


def test_two_columns_for_one_thing_are_refused(tmp_path: Path) -> None:
    found = table(tmp_path, "题干,选项A,A,选项B,答案", ["哪一个？", "甲", "甲", "乙", "A"])
    assert [problem.reason for problem in found.refused] == ["two columns are option_a"]
    assert found.drafts == []
