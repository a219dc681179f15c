"""Rows of files of units: headings, places, repetitions, doubts."""

from __future__ import annotations

import io
import re

import pytest
import xlsxwriter

from server import slices
from server.base.access import REGION, Scope
from server.base.texts import FIRST_LANGUAGE, Texts, load_texts
from server.console.sheets.reasons import FileRefused
from server.organizers.unit_importing import (
    KnownUnit,
    UnitComparison,
    UnitReason,
    compare_units,
    read_units,
)
from server.organizers.unit_places import Places
from server.units.service import load_regions

NANNING = Scope(city="450100")
QINGXIU = Scope(city="450100", county="450103")
HEAD = "单位名称,类别,设区市,县（市、区）\n"
PLACE = re.compile(r"\{(\w+)")


@pytest.fixture(scope="module")
def texts() -> Texts:
    return load_texts(slices.TEXTS)


def places() -> Places:
    return Places(load_regions())


def compared(
    text: str | bytes, own: Scope = REGION, known: tuple[KnownUnit, ...] = ()
) -> UnitComparison:
    raw = text.encode() if isinstance(text, str) else text
    table = read_units(raw, places(), own)
    found = compare_units(table.drafts, known, places(), own)
    found.problems.extend(table.problems)
    return found


def codes(found: UnitComparison) -> list[tuple[int, str]]:
    return sorted((one.line, one.why.code) for one in found.problems)


def there(name: str, kind: str = "school", *, open_: bool = True) -> KnownUnit:
    return KnownUnit(name=name, kind=kind, city="450100", county="450103", open=open_)


@pytest.mark.parametrize(
    "heading",
    [
        "单位名称,类别,设区市,县（市、区）",
        "学校名称,单位类型,所属市,所属县区", "名称,类型,市,县区",
        "*单位 名称,单位性质,地市,所属县（市、区）",
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_headings_of_registers_are_known_in_any_encoding(heading: str, encoding: str) -> None:
    text = f"2026年单位登记表\n序号,{heading},联系电话\n1,民主路小学,学校,南宁,青秀,0771\n"
    (draft,) = compared(text.encode(encoding)).added
    assert (draft.name, draft.kind, draft.place, draft.line) == ("民主路小学", "school", QINGXIU, 3)


@pytest.mark.parametrize(
    ("city", "county", "code"),
    [
        ("南宁市", "青秀区", "450103"), ("", "青秀", "450103"), ("450100", "450103", "450103"),
        ("", "南宁市青秀区", "450103"), ("柳州市", "融水", "450225"),
        ("柳州", "融水县", "450225"), ("百色市", "隆林各族自治县", "451031"),
        ("南宁市", "横县", "450181"), ("", "450127", "450181"), ("桂林市", "荔浦县", "450381"),
        ("玉林市", "容县", "450921"), ("广西", "靖西", "451081"), ("防城港市", "防城", "450603"),
        ("南宁市", "", None), ("南宁", "市本级", None), ("", "450100", None),
    ],
)  # fmt: skip
def test_a_place_is_known_by_its_names_and_codes(city: str, county: str, code: str | None) -> None:
    place = places().find_place(city, county, REGION)
    assert isinstance(place, Scope)
    assert place.county == code
    assert place.city is not None


def test_every_place_of_the_campaign_is_found_by_the_names_of_an_export() -> None:
    for city in load_regions().cities:
        for county in city.counties:
            place = places().find_place(city.name, county.name, REGION)
            code = load_regions().current_code(county.code)
            assert place == Scope(city=city.code, county=code)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("甲校,学校,南京市,青秀区", "wrong_city"), ("甲校,学校,南宁市,朝阳区", "wrong_county"),
        ("甲校,学校,柳州市,青秀区", "county_elsewhere"), (",学校,南宁市,青秀区", "name_missing"),
        ("甲校,,南宁市,青秀区", "kind_missing"), ("甲校,茶馆,南宁市,青秀区", "wrong_kind"),
        ("=A1&B1,学校,南宁市,青秀区", "formula"), ("#REF!,学校,南宁市,青秀区", "formula"),
        (f"{'校' * 101},学校,南宁市,青秀区", "too_long"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_with_its_reason_and_the_others_stay(
    row: str, code: str, texts: Texts
) -> None:
    found = compared(f"{HEAD}{row}\n,,,\n乙校,学校,南宁市,青秀区\n")
    assert codes(found) == [(2, code)]
    assert [draft.name for draft in found.added] == ["乙校"]
    (problem,) = found.problems
    facts = {key: str(value) for key, value in problem.why.facts.items()}
    assert texts.fill_text(f"organizers.unit_file.{code}", language=FIRST_LANGUAGE, **facts)


def test_a_row_outside_the_own_place_is_refused_and_an_empty_place_is_the_own_one() -> None:
    text = (
        f"{HEAD}甲校,学校,南宁市,青秀区\n乙校,学校,,\n丙校,学校,南宁市,兴宁区\n丁校,学校,南宁市,\n"
    )
    found = compared(text, QINGXIU)
    assert [(draft.name, draft.place) for draft in found.added] == [
        ("甲校", QINGXIU), ("乙校", QINGXIU),
    ]  # fmt: skip
    assert codes(found) == [(4, "outside"), (5, "outside")]
    assert [one.why.facts["place"] for one in found.problems] == ["南宁市兴宁区", "南宁市"]
    assert compared("名称,类别\n甲校,学校\n", NANNING).added[0].place == NANNING


def test_the_same_unit_twice_is_named_and_a_near_one_is_a_warning() -> None:
    row = ",学校,南宁市,青秀区\n"
    found = compared(f"{HEAD}甲校{row}甲校{row}甲 校{row}乙（新）校{row}甲校,学校,南宁市,兴宁区\n")
    assert codes(found) == [(3, "same_unit")]
    assert len(found.added) == 4
    assert [(one.line, one.why.code) for one in found.warnings] == [(4, "near_twin")]
    near = compared(f"{HEAD}乙(新)校{row}", known=(there("乙（新）校"),))
    assert [one.why.code for one in near.warnings] == ["near_known"]
    assert near.warnings[0].why.facts["known"] == "乙（新）校"


def test_units_of_the_directory_are_already_there_whatever_the_row_lacks() -> None:
    text = "单位名称,类别,设区市,县（市、区）,状态\n" + "".join(
        f"{name},{kind},南宁市,青秀区,{state}\n"
        for name, kind, state in (
            ("甲校", "学校", "正常"), ("甲校", "企业", "正常"), ("=乙", "", "正常"),
            ("丙校", "学校", "已停用"), ("丁校", "学校", "正常"), ("戊校", "学校", "已停用"),
        )
    )  # fmt: skip
    known = (there("甲校"), there("=乙"), there("丙校", open_=False), there("丁校", open_=False))
    found = compared(text, known=known)
    assert found.known == 4
    assert [draft.name for draft in found.added] == ["丁校"]
    assert codes(found) == [(7, "closed_unit")]
    assert [(one.line, one.why.code) for one in found.warnings] == [(3, "other_kind")]


def test_a_workbook_with_several_sheets_merged_cells_and_number_codes_is_read() -> None:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        for at, sheet in enumerate(("小学", "中学")):
            page = book.add_worksheet(sheet)
            page.merge_range(0, 0, 0, 3, "南宁市学校登记表")
            page.write_row(1, 0, ["学校名称", "类别", "所属市", "县区"])
            page.write_row(2, 0, [f"{sheet}甲", "学校", 450100, 450103])
            page.write_formula(3, 0, '="合"&"成"', None, "#N/A" if at else "合成小学")
            page.write_row(3, 1, ["学校", "南宁市", "青秀区"])
        book.add_worksheet("说明").write(0, 0, "请如实填写")
    table = read_units(made.getvalue(), places(), REGION)
    found = compare_units(table.drafts, (), places(), REGION)
    assert [draft.name for draft in found.added] == ["小学甲", "合成小学", "中学甲"]
    assert {draft.place for draft in found.added} == {QINGXIU}
    # The result of a formula is read; an error of one is an empty cell.
    assert [(one.sheet, one.line, one.why.code) for one in table.problems] == [
        ("中学", 4, "name_missing")
    ]
    assert table.ignored == ["说明"]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b" \n", "empty"), (HEAD.encode(), "no_units"), (b"%PDF-1.7", "pdf_document"),
        (HEAD.encode() + "甲,学校,,\n".encode() * 10_001, "too_many_rows"),
        (b"PK\x03\x04broken", "workbook_broken"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_with_a_reason(raw: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read_units(raw, places(), REGION)
    assert refused.value.why.code == code


@pytest.mark.parametrize(
    ("text", "code", "titles"),
    [
        ("姓名,电话\n韦,1\n", "no_table", ["姓名", "电话"]),
        ("名称,单位名称\n甲,乙\n", "two_columns", ["名称", "单位名称"]),
        # 学校 is a kind here, not the heading of the names.
        ("我方抬头,属性\n甲校,学校\n", "no_table", ["我方抬头", "属性"]),
    ],
)
def test_a_heading_without_names_is_refused_with_its_columns(
    text: str, code: str, titles: list[str]
) -> None:
    table = read_units(text.encode(), places(), REGION)
    assert [one.why.code for one in table.refused] == [code]
    assert [column.title for column in table.columns] == titles
    assert table.drafts == []


def test_columns_are_assigned_by_hand() -> None:
    text = "我方抬头,属性,名称\n甲校,学校,别的\n"
    by_hand = {"我方抬头": "name", "属性": "kind", "名称": "-"}
    table = read_units(text.encode(), places(), REGION, by_hand)
    assert [(one.name, one.kind) for one in table.drafts] == [("甲校", "school")]
    assert (table.ignored, table.refused) == ([], [])


def test_every_reason_has_a_sentence(texts: Texts) -> None:
    chinese = {
        key.removeprefix("organizers.unit_file."): sentence
        for key, sentence in texts.sentences[FIRST_LANGUAGE].items()
        if key.startswith("organizers.unit_file.")
    }
    assert set(chinese) == set(UnitReason.english)
    for code, sentence in chinese.items():
        known = {*PLACE.findall(UnitReason.english[code])}
        if code in ("near_twin", "near_known", "other_kind"):
            known.add("name")
        assert set(PLACE.findall(sentence)) <= known, code
