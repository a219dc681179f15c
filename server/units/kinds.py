"""Levels and kinds of units, for tables and services."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Level(StrEnum):
    """The level of a unit's area of responsibility."""

    NATIONAL = "national"
    REGION = "region"
    CITY = "city"
    COUNTY = "county"


# The kinds of units, each with the words that files and published lists use for it.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "association": ("科协", "科学技术协会", "学会", "协会"),
    "school": ("学校", "小学", "初中", "中学", "高中", "大学", "高校", "幼儿园", "中小学", "职校"),
    "enterprise": ("企业", "公司", "国企", "国有企业", "民营企业", "企业单位"),
    "institution": (
        "事业单位", "事业", "医院", "科研院所", "科研机构", "科技馆", "图书馆", "博物馆",
    ),
    "government": (
        "机关", "机关单位", "党政机关", "行政机关", "国家机关", "政府", "党委部门", "政府部门",
    ),
    "community": ("社区和村", "社区", "村", "街道", "乡镇", "村社区", "社区村"),
    "other": ("其他", "其它", "群团", "组织群"),
}  # fmt: skip
KINDS = tuple(_WORDS)
_KIND_OF_WORD = {word: kind for kind, some in _WORDS.items() for word in (kind, *some)}


def kind_of_word(word: str) -> str | None:
    """The kind that a word of a file means; None for an unknown word."""
    return _KIND_OF_WORD.get(word.strip().casefold())
