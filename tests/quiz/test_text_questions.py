"""Questions that are typed: GIFT, Aiken, and numbered questions of a document.

The shapes are those of the formats' public examples; every question is made up.
"""

from __future__ import annotations

import pytest

from server.quiz.bank.files.reading import Table, read_questions
from server.quiz.enums import QuestionKind

GIFT = """\
// 天文部分
$CATEGORY: $course$/top/天文

::Q1:: 哪一颗行星离太阳最近？ {
    =水星#对了
    ~金星#再想想
    ~火星
    ####水星公转最快。
}

太阳系有 {~七 =八 ~九} 颗行星。

[html]<p>哪些是行星&nbsp;？</p> {
  ~%50%地球
  ~%50%火星
  ~%-100%月球
}

水会流。{T#水没有固定的形状。}

冰是热的。{FALSE}

哪一个等于 5？ { ~ \\= 2+2  = \\= 2+3 }
"""
REFUSED_GIFT = {
    "谁发现了镭？{=居里夫人 =玛丽·居里}": "a short answer is no choice",
    "配对 {=中国 -> 北京 =日本 -> 东京}": "a matching question is no choice",
    "圆周率是多少？{#3.14:0.01}": "a numerical question is no choice",
    "谈谈你的看法。{}": "an essay question has no key",
    "难题。{~错 ~%50%半对 =全对}": "an option with part of the marks beside a right one",
    "半句 {=甲 ~乙": "a brace that is not closed",
    "[html]<img src='x'>这是什么？{=甲 ~乙}": "img: pictures and formulas in HTML are not read",
    "[html]x<sup>2</sup>{=甲 ~乙}": "sup: pictures and formulas in HTML are not read",
}
AIKEN = """\
Which planet is the nearest to the sun?
A) Mercury
B) Venus
C) Mars
ANSWER: A

A dog is an animal.
A. True
B. False
ANSWER: A
"""
TYPED = """\
一、单选题（每题2分）
1. 离太阳最近的行星是（  ）。
A. 水星  B. 金星
C. 地球  D. 火星
答案：A
解析：水星公转一周
只要88天。

2、太阳系有（B）颗行星。
A．七
B．八
二、多选题
3．哪些是行星？
A、地球 B、火星 C、月球
【答案】AB
【解析】月球是卫星。
三、判断题
4. 水会流。（√）
5. 冰是热的。
正确答案：错误
(6) [单选] 光速约为每秒多少？
A 三十万千米
B 三十万米
参考答案 A
"""


def read(text: str) -> Table:
    return read_questions("text", text.encode())


def reasons(table: Table) -> list[str]:
    return [str(problem) for problem in table.every_problem]


def test_gift_is_read_with_categories_remarks_and_gaps() -> None:
    found = read(GIFT)
    assert reasons(found) == []
    one, gap, several, true, false, escaped = found.drafts
    assert (one.stem, one.options, one.answer) == (
        "哪一颗行星离太阳最近？", ("水星", "金星", "火星"), (0,),
    )  # fmt: skip
    assert (one.topic, one.explanation, one.line) == ("天文", "水星公转最快。", 4)
    assert (gap.stem, gap.answer) == ("太阳系有（　　）颗行星。", (1,))
    assert (several.kind, several.stem, several.answer) == (
        QuestionKind.MULTIPLE, "哪些是行星 ？", (0, 1),
    )  # fmt: skip
    assert (true.answer, true.explanation, false.answer) == ((0,), "水没有固定的形状。", (1,))
    assert (escaped.options, escaped.answer) == (("= 2+2", "= 2+3"), (1,))


@pytest.mark.parametrize("question", REFUSED_GIFT)
def test_a_question_of_gift_without_options_to_mark_is_refused_alone(question: str) -> None:
    found = read(f"{question}\n\n水会流。{{T}}\n")
    (reason,) = reasons(found)
    assert reason.startswith(f"line 1: {REFUSED_GIFT[question]}")
    assert [draft.stem for draft in found.drafts] == ["水会流。"]


def test_aiken_is_read() -> None:
    found = read(AIKEN)
    assert reasons(found) == []
    assert [(d.stem, d.options, d.answer, d.line) for d in found.drafts] == [
        ("Which planet is the nearest to the sun?", ("Mercury", "Venus", "Mars"), (0,), 1),
        ("A dog is an animal.", ("True", "False"), (0,), 7),
    ]


def test_a_question_of_aiken_that_is_not_finished_takes_no_other_with_it() -> None:
    text = "一个选项\nA) 甲\nANSWER: A\n\n没有答案\nA) 甲\nB) 乙\n\n完整\nA)甲\nB)乙\nANSWER: B"
    found = read(text)
    assert [(draft.stem, draft.answer) for draft in found.drafts] == [("完整", (1,))]
    assert reasons(found) == [
        "line 1: options: fewer than two",
        "line 5: answer: '' is not made of option letters",
    ]


def test_typed_questions_are_read_with_their_sections() -> None:
    found = read(TYPED)
    assert reasons(found) == []
    nearest, gap, several, flows, ice, light = found.drafts
    assert (nearest.stem, nearest.options) == (
        "离太阳最近的行星是（  ）。", ("水星", "金星", "地球", "火星"),
    )  # fmt: skip
    assert nearest.explanation == "水星公转一周\n只要88天。"
    assert (gap.stem, gap.answer) == ("太阳系有（　　）颗行星。", (1,))
    assert (several.kind, several.answer) == (QuestionKind.MULTIPLE, (0, 1))
    assert (flows.kind, flows.stem, flows.answer) == (
        QuestionKind.JUDGE, "水会流。（　　）", (0,),
    )  # fmt: skip
    assert (ice.answer, light.kind, light.answer) == ((1,), QuestionKind.SINGLE, (0,))


def test_a_letter_that_is_left_out_is_told() -> None:
    found = read("1. 哪一个？\nA. 甲\nC. 丙\n答案：A")
    assert reasons(found) == ["line 1: options: C stands where B is expected"]


def test_a_pasted_part_of_a_workbook_is_a_table() -> None:
    found = read("题干\t选项A\t选项B\t答案\n哪一颗？\t水星\t金星\tB\n")
    assert [draft.answer for draft in found.drafts] == [(1,)]
