"""Files in the shapes of public question banks: read, or refused with a clear reason.

The questions here were written for these tests; only headings and layout are those of the banks.
"""

from __future__ import annotations

import io

import openpyxl
import pytest

from server.console.sheets.reasons import FileRefused
from server.quiz.bank.files.reading import ReadingOptions, Table, read_questions


def as_workbook(*rows: list[object]) -> bytes:
    book, made = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(made)
    return made.getvalue()


def read(name: str, raw: str | bytes, **said: object) -> Table:
    content = raw if isinstance(raw, bytes) else raw.encode()
    return read_questions(name, content, ReadingOptions(**said))  # type: ignore[arg-type]


KAHOOT = as_workbook(
    ["", "Quiz template"],
    ["", "Add questions, at least two answers, the time and the correct ones."],
    ["", "Question (max 120 chars)", "Answer 1 (max 75 chars)", "Answer 2 (max 75 chars)",
     "Answer 3 (max 75 chars)", "Answer 4 (max 75 chars)", "Time limit (sec)",
     "Correct answer(s) (choose at least one)"],
    [1, "水的沸点？", "100℃", "90℃", "80℃", "70℃", 20, 1],
    [2, "哪些是行星？", "水星", "月球", "金星", "太阳", 30, "1,3"],
)  # fmt: skip
QUIZIZZ = as_workbook(
    ["Question Text", "Question Type", "Option 1", "Option 2", "Option 3", "Option 4", "Option 5",
     "Correct Answer", "Time in seconds", "Image Link", "Answer explanation"],
    ["水的沸点？", "Multiple Choice", "100℃", "90℃", "80℃", "70℃", None, 1, 20, None, None],
)  # fmt: skip
EXAM_STAR = as_workbook(
    ["题型（必填）", "题干（必填）", "选项A", "选项B", "选项C", "选项D", "正确答案（必填）", "解析",
     "分数", "难度", "知识点"],
    ["单选题", "水的沸点？", "100℃", "90℃", None, None, "A", "标准大气压下。", 2, "简单", "物理"],
    ["判断题", "水会流。", None, None, None, None, "正确", None, 1, "简单", "物理"],
    ["多选题", "哪些是行星？", "水星", "月球", "金星", None, "AC", None, 3, "中等", "天文"],
)  # fmt: skip
# A file, what was said about it, and the answers found: positions per question.
READ = {
    "CMMLU": ("a.csv", ",Question,A,B,C,D,Answer\n0,水的沸点？,100℃,90℃,80℃,70℃,A\n", {}, [(0,)]),
    "C-Eval": (
        "a.csv",
        "id,question,A,B,C,D,answer,explanation\n0,水的沸点？,100℃,90℃,80℃,70℃,A,常压。\n",
        {}, [(0,)],
    ),
    "MMLU": (
        "a.csv", "水的沸点？,90℃,100℃,80℃,70℃,B\n水的凝固点？,0℃,1℃,2℃,3℃,A\n",
        {"no_heading": True, "columns": {
            "#1": "stem", "#2": "option_a", "#3": "option_b", "#4": "option_c", "#5": "option_d",
            "#6": "answer"}}, [(1,), (0,)],
    ),
    "MedMCQA": (
        "a.csv",
        "id,question,opa,opb,opc,opd,cop,choice_type,exp,subject_name,topic_name\n"
        "u1,水的沸点？,90℃,100℃,80℃,70℃,1,single,常压。,物理,热\n",
        {"from_zero": True, "columns": {
            "opa": "option_a", "opb": "option_b", "opc": "option_c", "opd": "option_d",
            "cop": "answer", "choicetype": "-", "exp": "explanation", "subjectname": "topic",
            "topicname": "-"}}, [(1,)],
    ),
    "Kahoot": ("a.xlsx", KAHOOT, {"columns": {"timelimit": "-"}}, [(0,), (0, 2)]),
    "Quizizz": (
        "a.xlsx", QUIZIZZ,
        {"columns": {"timeinseconds": "-", "imagelink": "-", "answerexplanation": "explanation",
                     "questiontype": "-"}}, [(0,)],
    ),
    "a Chinese exam platform": ("a.xlsx", EXAM_STAR, {}, [(0,), (0,), (0, 2)]),
    "Moodle GIFT": (
        "a.gift", "// 物理\n$CATEGORY: 科普\n\n::Q1:: 水的沸点？ {\n=100℃\n~90℃\n~80℃\n}\n\n"
        "水会流。{TRUE}\n", {}, [(0,), (0,)],
    ),
    "Moodle Aiken": ("a.txt", "水的沸点？\nA) 90℃\nB) 100℃\nANSWER: B\n", {}, [(1,)]),
    "a driving test": (
        "a.csv",
        "题目,选项1,选项2,选项3,选项4,答案,解释,图片,图片说明\n这是什么标志？,禁行,慢行,停车,会车,1,,,\n",
        {}, [(0,)],
    ),
    "a typed document": (
        "a.txt",
        "一、单选题\n1. 水的沸点？（ B ）\nA. 90℃ B. 100℃\n\n"
        "2、水的凝固点？\nA、0℃\nB、1℃\n参考答案：A\n",
        {}, [(1,), (0,)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("bank", READ)
def test_a_public_bank_is_read_in_its_own_shape(bank: str) -> None:
    name, raw, said, answers = READ[bank]
    table = read(name, raw, **said)
    assert [str(problem) for problem in table.every_problem] == []
    assert [draft.answer for draft in table.drafts] == answers


ARC = (
    '{"id": "q1", "question": {"stem": "水的沸点？", "choices": [{"text": "100℃", "label": "A"}]},'
    ' "answerKey": "A"}\n'
)
TRIVIA = '{"response_code": 0, "results": [{"question": "水的沸点？", "correct_answer": "100℃"}]}'
MOODLE_XML = '<?xml version="1.0"?><quiz><question type="multichoice"></question></quiz>'
ANKI = "水的沸点？\t100℃\n水的凝固点？\t0℃\n"
SCIQ = (
    "question,distractor1,distractor2,distractor3,correct_answer,support\n"
    "水的沸点？,90℃,80℃,70℃,100℃,常压。\n"
)
TRUTHFUL = (
    "Type,Category,Question,Best Answer,Correct Answers,Incorrect Answers,Source\n"
    "常识,物理,水的沸点？,100℃,100℃; 一百度,90℃; 80℃,书\n"
)
REFUSED = {
    "ARC": ("a.jsonl", ARC, "json_document"),
    "Open Trivia DB": ("a.json", TRIVIA, "json_document"),
    "Moodle XML": ("a.xml", MOODLE_XML, "xml_document"),
    "Anki": ("a.txt", ANKI, "no_questions"),
    "SciQ": ("a.csv", SCIQ, "unknown_column"),
    "TruthfulQA": ("a.csv", TRUTHFUL, "no_table"),
    "MedMCQA without a hand": ("a.csv", READ["MedMCQA"][1], "no_table"),
    "CMMLU as an archive": ("a.zip", b"PK\x05\x06" + b"\0" * 18, "other_archive"),
}


@pytest.mark.parametrize("bank", REFUSED)
def test_a_public_bank_that_has_no_table_of_options_is_refused_with_what_is_missing(
    bank: str,
) -> None:
    name, raw, code = REFUSED[bank]
    try:
        found = [problem.why.code for problem in read(name, raw).every_problem]
    except FileRefused as refusal:
        found = [refusal.why.code]
    assert found
    assert found[0] == code
