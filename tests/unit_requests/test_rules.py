"""Names of requested units: cleaned, compared, found among those that exist."""

from __future__ import annotations

import pytest

from server.base.errors import Invalid
from server.unit_requests import rules


def test_a_name_loses_what_nobody_sees_and_two_characters_remain() -> None:
    assert rules.clean_name(" 南宁市\u200b 第一\t中学 ") == "南宁市 第一 中学"
    for text in ("\u200b\u200b", " 校 ", "字" * 101):
        with pytest.raises(Invalid):
            rules.clean_name(text)


@pytest.mark.parametrize(
    "other", ["南宁市第一中学 ", "南宁市第一中学。", "南宁市 第一中学", "（南宁市）第一中学"]
)
def test_spaces_and_punctuation_make_no_other_unit(other: str) -> None:
    assert rules.name_key(other) == rules.name_key("南宁市第一中学")


def test_width_and_case_make_no_other_unit_and_digits_do() -> None:
    assert rules.name_key("ＡＢＣ学校") == rules.name_key("abc学校")
    assert rules.name_key("第1小学") != rules.name_key("第11小学")
    assert rules.name_key("！！") == "！！"


def test_the_most_alike_name_comes_first_and_others_are_left_out() -> None:
    offered = [("a", "青秀区气象局"), ("b", "南宁市第二中学"), ("c", "南宁市第一中学（初中部）")]
    assert [ref for ref, _ in rules.most_alike("南宁市第一中学", offered)] == ["c", "b"]
