"""The texts of a pack, and its ZIP as Windows and other programs read it."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server import slices
from server.announcements.publishing.archive import (
    PackedChannel,
    PackedParts,
    name_folder,
    write_archive,
)
from server.announcements.publishing.links import draw_link
from server.announcements.publishing.publication import Publication
from server.announcements.publishing.wording import (
    MOST_SHORT,
    count_for_microblog,
    write_long,
    write_short,
)
from server.base.texts import load_texts
from server.channel.service import CodeTarget
from tests.kit.hostile import HOSTILE
from tests.kit.pictures import a_code, a_picture, opened
from tests.kit.qr_codes import read_code

LINK = "https://kepu.example.cn/p/abcdefghjkmn"
NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)
LECTURE = Publication(
    target=CodeTarget.ACTIVITY,
    ref="act_1",
    title="甘蔗为什么这么甜",
    body="讲甘蔗的一生。\n请从东门进。",
    place="南宁市",
    published_at=NOON,
    facts=(
        ("时间", "2026年5月16日（周六）15:00至2026年5月16日（周六）17:00"),
        ("地点", "广西科技馆报告厅"),
        ("主讲", "韦明 教授"),
    ),
)
say = load_texts(slices.TEXTS).fill_text


@pytest.mark.parametrize(
    ("text", "length"), [("", 0), ("科普", 2), ("ab", 1), ("abc", 2), ("科普ab", 3), ("，。", 2)]
)
def test_a_microblog_counts_two_half_width_characters_as_one(text: str, length: int) -> None:
    assert count_for_microblog(text) == length


def test_the_short_text_has_title_time_venue_text_and_link() -> None:
    short = write_short(LECTURE, LINK)
    assert short == (
        "【甘蔗为什么这么甜】2026年5月16日（周六）15:00至2026年5月16日（周六）17:00，"
        f"广西科技馆报告厅，讲甘蔗的一生。，请从东门进。 {LINK}"
    )
    assert write_short(LECTURE, "") == short.removesuffix(f" {LINK}")


@pytest.mark.parametrize("body", ["长" * 4000, "a" * 4000, "👨‍👩‍👧‍👦" * 200, "长 " * 300])
def test_a_long_text_is_cut_between_characters_so_that_the_link_stays(body: str) -> None:
    short = write_short(replace(LECTURE, body=body), LINK)
    assert count_for_microblog(short) <= MOST_SHORT
    assert short.endswith(f"… {LINK}")
    if "👨" in body:
        family = short.partition("报告厅，")[2].partition("…")[0]
        assert family.replace("👨‍👩‍👧‍👦", "") == ""


def test_a_title_without_room_leaves_title_and_link_alone() -> None:
    short = write_short(replace(LECTURE, title="题" * 140), LINK)
    assert short == f"【{'题' * 140}】 {LINK}"


def test_the_long_text_has_everything_in_paragraphs() -> None:
    assert write_long(LECTURE, LINK, say).split("\n\n") == [
        "甘蔗为什么这么甜",
        "\n".join(f"{name}：{value}" for name, value in LECTURE.facts),
        "讲甘蔗的一生。\n请从东门进。",
        f"详情：{LINK}",
        "发布：南宁市",
    ]
    told = write_long(replace(LECTURE, notice="活动已取消。台风"), "", say)
    assert "详情" not in told
    assert told.split("\n\n")[1] == "活动已取消。台风"


def parts(*channels: PackedChannel, publication: Publication = LECTURE) -> PackedParts:
    picture = a_picture("JPEG", (40, 30))
    return PackedParts(publication=publication, channels=channels, picture=picture, made_at=NOON)


def read_files(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        assert pack.testzip() is None
        return {one.filename: pack.read(one) for one in pack.infolist()}


def test_the_zip_has_a_folder_for_each_channel(tmp_path: Path) -> None:
    picture = b"\xff\xd8\xff made by WeChat"
    found = read_files(
        write_archive(
            parts(
                PackedChannel(name="微博", link=LINK),
                PackedChannel(name="图书馆/海报", link=f"{LINK}2", mini_code=picture),
                PackedChannel(name="网站", link=f"{LINK}3", mini_code=a_code()),
            ),
            say,
        )
    )
    assert sorted(found) == [
        "01 微博/短文.txt",
        "01 微博/网页二维码.png",
        "01 微博/链接.txt",
        "01 微博/长文.txt",
        "02 图书馆_海报/小程序码.jpg",
        "02 图书馆_海报/短文.txt",
        "02 图书馆_海报/网页二维码.png",
        "02 图书馆_海报/链接.txt",
        "02 图书馆_海报/长文.txt",
        "03 网站/小程序码.png",
        "03 网站/短文.txt",
        "03 网站/网页二维码.png",
        "03 网站/链接.txt",
        "03 网站/长文.txt",
        "图片.jpg",
        "短文.txt",
        "长文.txt",
    ]
    assert found["02 图书馆_海报/小程序码.jpg"] == picture
    code = opened(found["02 图书馆_海报/网页二维码.png"])
    assert read_code(code, tmp_path) == f"{LINK}2"
    assert LINK not in found["短文.txt"].decode()


def test_notepad_of_windows_opens_the_texts() -> None:
    """It needs the byte order mark to tell UTF-8 from GBK, and older ones need both line ends."""
    found = read_files(write_archive(parts(PackedChannel(name="微博", link=LINK)), say))
    for name, content in found.items():
        if not name.endswith(".txt"):
            continue
        assert content.startswith(b"\xef\xbb\xbf"), name
        text = content.decode("utf-8-sig")
        assert text.count("\n") == text.count("\r\n") > 0
    told = found["01 微博/长文.txt"].decode("utf-8-sig").replace("\r\n", "\n")
    assert told == write_long(LECTURE, LINK, say) + "\n"
    assert found["01 微博/链接.txt"] == f"\ufeff{LINK}\r\n".encode()


def test_names_in_the_zip_are_utf_8_and_its_bytes_depend_on_its_parts_alone() -> None:
    made = write_archive(parts(PackedChannel(name="微博", link=LINK)), say)
    assert made == write_archive(parts(PackedChannel(name="微博", link=LINK)), say)
    with zipfile.ZipFile(io.BytesIO(made)) as pack:
        for one in pack.infolist():
            assert one.flag_bits & 0x800, one.filename
            assert one.date_time == (2026, 5, 1, 12, 0, 0)


@pytest.mark.parametrize("name", [*HOSTILE, "CON", "a.", " . ", "..", "\u202egnp.exe", "\0"])
def test_no_name_of_a_channel_leaves_its_folder(name: str) -> None:
    safe = name_folder(name)
    assert not any(one in safe for one in '<>:"/\\|?*')
    assert not any(unicodedata.category(one)[0] == "C" for one in safe)
    assert not safe.endswith((".", " "))
    found = read_files(write_archive(parts(PackedChannel(name=name, link=LINK)), say))
    for path in found:
        folder, slash, file = path.rpartition("/")
        assert "/" not in folder
        assert not slash or folder.startswith("01")
        assert file in {"短文.txt", "长文.txt", "链接.txt", "网页二维码.png", "图片.jpg"}


@pytest.mark.parametrize("text", HOSTILE[::7])
def test_any_text_comes_whole_into_the_zip(text: str) -> None:
    hostile = replace(LECTURE, title=text[:80], body=text, facts=(("地点", text),))
    channel = PackedChannel(name="微博", link=LINK)
    found = read_files(write_archive(parts(channel, publication=hostile), say))
    told = found["01 微博/长文.txt"].decode("utf-8-sig")
    assert told.splitlines() == write_long(hostile, LINK, say).splitlines()


def test_a_link_is_drawn_once() -> None:
    draw_link.cache_clear()
    for _ in range(3):
        assert opened(draw_link(LINK)).format == "PNG"
    assert draw_link.cache_info().misses == 1
