"""The pages of publishing packs, and the public pages and pictures of their codes."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from server.activities import posters
from server.activities.kinds import ActivityState
from server.announcements.compose.pictures import (
    convert_announcement_picture,
    keep_announcement_picture,
)
from server.announcements.enums import AnnouncementState
from server.announcements.models import Announcement
from server.announcements.publishing import api, archive
from server.announcements.publishing.console import PAGES
from server.announcements.publishing.public_page import public_pages
from server.base.access import REGION, Scope
from server.base.clock import BEIJING
from server.base.database_away import DatabaseAway
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import service as channel
from server.channel.models import ChannelCode, CodeOpening
from tests.kit.activities import a_lecture
from tests.kit.announcements import an_announcement
from tests.kit.client import CheckedClient
from tests.kit.console import NANNING, Browser, console_app
from tests.kit.edge import edge_client
from tests.kit.gateway import RecordingGateway
from tests.kit.hostile import HOSTILE
from tests.kit.pack_probes import a_channel_code
from tests.kit.pictures import a_code, a_picture, opened
from tests.kit.qr_codes import read_code

SENT = AnnouncementState.DONE


@pytest.fixture
def pages(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES)[0]


@pytest.fixture
def public(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> CheckedClient:
    return edge_client(uow_factory, gateway, api.API, pages=(public_pages(uow_factory),))


def sent(uow: UnitOfWork, **columns: Any) -> Announcement:
    given = {"state": SENT, "began_at": uow.now, **columns}
    return an_announcement(uow, **given)


def make_lecture(uow_factory: UnitOfWorkFactory, **columns: Any) -> str:
    with uow_factory.begin() as uow:
        return a_lecture(uow, title="甘蔗为什么这么甜", abstract="讲甘蔗的一生。", **columns).ref


def code_of(uow_factory: UnitOfWorkFactory, name: str = "微博") -> str:
    with uow_factory.begin(read_only=True) as uow:
        found = uow.session.scalars(select(ChannelCode.code).where(ChannelCode.name == name))
        return found.one()


def opens_of(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return sum(uow.session.scalars(select(CodeOpening.opens)))


def areas(text: str) -> dict[str, str]:
    """The texts of a page that can be selected and copied, by the ids of their fields."""
    found = re.findall(
        r'<textarea [^>]*id="([a-z]+)-[^"]*"[^>]*readonly>\n?(.*?)</textarea>', text, re.S
    )
    return dict(found)


# --- the console


def test_each_channel_has_its_link_in_texts_and_codes(
    uow_factory: UnitOfWorkFactory, pages: Flask
) -> None:
    ref = make_lecture(uow_factory)
    browser = Browser(pages, "editor-region")
    path = f"/packs/activity/{ref}"
    status, before = browser.get(path)
    assert (status, "link" in areas(before)) == (200, False)
    assert areas(before)["short"].startswith("【甘蔗为什么这么甜】")
    for name in ("微博", " 图书馆  海报 "):
        assert browser.ask("POST", path, {"name": name})[0] == 303
    shown = browser.get(path)[1]
    for name in ("微博", "图书馆 海报"):
        code = code_of(uow_factory, name)
        assert f'src="/api/v1/codes/{code}/link.png"' in shown
        assert f'id="link-{code}"' in shown
        assert shown.count(f"/p/{code}<") + shown.count(f"/p/{code}\n") >= 3
    assert areas(shown)["long"].startswith("甘蔗为什么这么甜\n\n时间：")
    # Also with scripts off: a text field, and no button that does nothing.
    assert 'data-copies="link-' in shown
    assert "小程序码正在向微信申请" in shown


def test_a_name_is_refused_beside_its_field(uow_factory: UnitOfWorkFactory, pages: Flask) -> None:
    ref = make_lecture(uow_factory)
    browser = Browser(pages, "editor-region")
    path = f"/packs/activity/{ref}"
    browser.ask("POST", path, {"name": "微博"})
    for name, said in (
        ("微博", "已经有叫“微博”的渠道了"),
        ("", "请填写渠道名称"),
        ("长" * 21, "最多20个字"),
        ("海\u202e报", "看不见的特殊字符"),
    ):
        status, shown = browser.ask("POST", path, {"name": name})
        assert (status in {409, 422}, said in shown) == (True, True), name


def test_a_stopped_channel_leaves_the_pack_and_stays_in_the_table(
    uow_factory: UnitOfWorkFactory, pages: Flask, public: CheckedClient
) -> None:
    ref = make_lecture(uow_factory)
    browser = Browser(pages, "editor-region")
    browser.ask("POST", f"/packs/activity/{ref}", {"name": "微博"})
    code = code_of(uow_factory)
    assert browser.ask("POST", f"/packs/activity/{ref}/{code}/stop", {})[0] == 303
    shown = browser.get(f"/packs/activity/{ref}")[1]
    assert f"/p/{code}" not in shown
    assert "已停用" in shown
    assert public.get(f"/p/{code}").status_code == 200
    assert opens_of(uow_factory) == 1


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"state": AnnouncementState.DRAFT}, "公开发布以后才有发布包"),
        ({"state": AnnouncementState.SCHEDULED}, "公开发布以后才有发布包"),
        ({"state": AnnouncementState.CANCELLED}, "已经取消"),
        ({"audience": {"contest": {"contest": "daily"}}}, "只发给一部分人"),
        ({"audience": {"units": ["unt_1"]}}, "只发给一部分人"),
    ],
)
def test_what_is_not_for_everybody_has_no_pack(
    uow_factory: UnitOfWorkFactory, pages: Flask, public: CheckedClient, columns: Any, said: str
) -> None:
    with uow_factory.begin() as uow:
        row = sent(uow, **columns)
        ref, title = row.ref, row.title
        code = a_channel_code(uow, ref).code
    browser = Browser(pages, "editor-region")
    path = f"/packs/announcement/{ref}"
    status, shown = browser.get(path)
    assert (status, said in shown, title in shown) == (200, True, True)
    assert areas(shown) == {}
    assert 'name="name"' not in shown
    assert browser.get(f"{path}/file")[0] == 404
    assert browser.ask("POST", path, {"name": "网站"})[0] == 404
    # A code from before an edit tells nothing.
    for address in (f"/p/{code}", f"/codes/{code}"):
        answer = public.get(address)
        assert answer.status_code == 404
        assert "欢迎报名" not in answer.text
    assert opens_of(uow_factory) == 0


def test_an_announcement_of_a_higher_place_gets_codes_of_each_place(
    uow_factory: UnitOfWorkFactory, pages: Flask
) -> None:
    with uow_factory.begin() as uow:
        ref = sent(uow).ref
    path = f"/packs/announcement/{ref}"
    for who in ("editor-region", "editor-city", "editor-other"):
        assert Browser(pages, who).ask("POST", path, {"name": "微博"})[0] == 303

    def codes(who: str) -> int:
        return Browser(pages, who).get(path)[1].count("link.png")

    assert [codes(who) for who in ("editor-region", "editor-city", "editor-county")] == [1, 1, 0]
    region = Browser(pages, "auditor-region").get(path)[1]
    assert region.count('<th scope="row">微博') == 3
    assert "南宁市" in region
    assert "柳州市" in region
    assert Browser(pages, "editor-city").get(path)[1].count('<th scope="row">微博') == 1
    assert 'name="name"' not in region
    assert Browser(pages, "auditor-region").ask("POST", path, {"name": "网站"})[0] == 403


@pytest.mark.parametrize("target", ["contest", "Activity", "x", "activity%00"])
def test_other_kinds_have_no_pack(
    uow_factory: UnitOfWorkFactory, pages: Flask, target: str
) -> None:
    ref = make_lecture(uow_factory)
    assert Browser(pages, "editor-region").get(f"/packs/{target}/{ref}")[0] == 404


def test_the_zip_is_made_after_the_transaction(
    uow_factory: UnitOfWorkFactory,
    pages: Flask,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    made = posters.convert_poster(a_picture(size=(600, 400)))
    with uow_factory.begin() as uow:
        poster = posters.keep_poster(uow, made)
    ref = make_lecture(uow_factory, poster=poster)
    browser = Browser(pages, "editor-region")
    browser.ask("POST", f"/packs/activity/{ref}", {"name": "微博"})
    with uow_factory.begin() as uow:
        uow.session.execute(update(ChannelCode).values(picture=a_code()))
    depths: list[int] = []
    draw = archive.draw_link

    def draw_watched(link: str) -> bytes:
        depths.append(uow_factory.depth)
        return draw(link)

    monkeypatch.setattr(archive, "draw_link", draw_watched)
    answer = browser.open("GET", f"/packs/activity/{ref}/file", {})
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    assert depths == [0]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as pack:
        assert pack.read("图片.jpg") == made.picture.content
        assert pack.read("01 微博/小程序码.png") == a_code()
        code = opened(pack.read("01 微博/网页二维码.png"))
        link = pack.read("01 微博/链接.txt").decode("utf-8-sig").strip()
    assert read_code(code, tmp_path) == link
    assert link.endswith(f"/p/{code_of(uow_factory)}")


@pytest.mark.parametrize("text", HOSTILE[::11])
def test_hostile_texts_are_text_everywhere(
    uow_factory: UnitOfWorkFactory, pages: Flask, public: CheckedClient, text: str
) -> None:
    with uow_factory.begin() as uow:
        ref = sent(uow, title=text[:80], body=text, withdrawn_at=None).ref
        code = a_channel_code(uow, ref, name=text[:20]).code
    browser = Browser(pages, "editor-region")
    shown = browser.get(f"/packs/announcement/{ref}")[1]
    page = public.get(f"/p/{code}")
    assert page.status_code == 200
    for html in (shown, page.text):
        for tag in ("<script>alert", "<img src=x", "<svg", "<iframe", "<base", "<meta http", "<b "):
            assert tag not in html
    assert public.get(f"/codes/{code}").get_json()["text"] == text
    assert browser.open("GET", f"/packs/announcement/{ref}/file", {}).status_code == 200


def test_a_span_of_one_day_names_the_day_once_and_a_place_once(
    uow_factory: UnitOfWorkFactory, public: CheckedClient
) -> None:
    start = datetime(2026, 5, 16, 15, tzinfo=BEIJING)
    columns = {"starts_at": start, "city": "450100", "signup_closes_at": start}
    with uow_factory.begin() as uow:
        one = a_lecture(uow, address="南宁市民族大道20号", **columns).ref
        two = a_lecture(uow, ends_at=start + timedelta(hours=12), **columns).ref
        codes = [a_channel_code(uow, ref).code for ref in (one, two)]
    told = [
        {fact["name"]: fact["value"] for fact in public.get(f"/codes/{code}").get_json()["facts"]}
        for code in codes
    ]
    assert told[0]["时间"] == "2026年5月16日（周六）15:00至17:00"
    assert told[1]["时间"] == "2026年5月16日（周六）15:00至2026年5月17日（周日）03:00"
    assert told[0]["地点"] == "南宁市民族大道20号 广西图书馆报告厅"
    assert told[1]["地点"] == "南宁市 广西图书馆报告厅"


# --- everybody


def test_the_page_of_a_code_needs_no_log_in_and_counts_each_opening(
    uow_factory: UnitOfWorkFactory, public: CheckedClient
) -> None:
    ref = make_lecture(uow_factory, office_phone="0771-5550100")
    with uow_factory.begin() as uow:
        row = a_channel_code(uow, ref)
        code, code_id = row.code, row.id
    for _ in range(2):
        answer = public.get(f"/p/{code}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "Set-Cookie" not in answer.headers
    for words in ("甘蔗为什么这么甜", "0771-5550100", "广西图书馆报告厅", "请在微信里搜索"):
        assert words in answer.text
    assert "<script" not in answer.text
    assert public.app.test_client().head(f"/p/{code}").status_code == 200
    for wrong in (code[:-1], f"{code}x", code.upper(), "%00"):
        assert public.get(f"/p/{wrong}").status_code == 404
    assert opens_of(uow_factory) == 2
    with uow_factory.begin() as uow:
        uow.session.execute(
            update(ChannelCode).where(ChannelCode.id == code_id).values(picture=a_code())
        )
    assert f'src="/api/v1/codes/{code}/mini.jpg"' in public.get(f"/p/{code}").text
    assert public.get("/p.css").mimetype == "text/css"


def test_the_page_is_shown_also_when_its_opening_cannot_be_counted(
    uow_factory: UnitOfWorkFactory, public: CheckedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = make_lecture(uow_factory)
    with uow_factory.begin() as uow:
        code = a_channel_code(uow, ref).code

    def fail(*_given: object) -> None:
        raise DatabaseAway

    monkeypatch.setattr(channel, "count_code_opening", fail)
    assert public.get(f"/p/{code}").status_code == 200


def test_what_was_withdrawn_or_cancelled_says_so_and_nothing_else(
    uow_factory: UnitOfWorkFactory, public: CheckedClient, pages: Flask
) -> None:
    lecture = make_lecture(uow_factory, state=ActivityState.CANCELLED, remark="受台风影响")
    moved = make_lecture(uow_factory, state=ActivityState.POSTPONED, remark="场地检修")
    with uow_factory.begin() as uow:
        gone = sent(uow, withdrawn_at=uow.now, remark="时间写错了", page="pages/home/index").ref
        codes = [a_channel_code(uow, ref).code for ref in (gone, lecture, moved)]
    withdrawn, cancelled, postponed = (public.get(f"/codes/{code}").get_json() for code in codes)
    assert withdrawn["notice"] == "这条通知已经撤回：时间写错了"
    assert (withdrawn["text"], withdrawn["page"]) == ("", None)
    assert cancelled["notice"] == "活动已取消。受台风影响"
    assert postponed["notice"] == "活动推迟，日期另行通知。场地检修"
    assert "时间" not in [one["name"] for one in postponed["facts"]]
    assert "欢迎报名" not in public.get(f"/p/{codes[0]}").text
    assert "时间写错了" in Browser(pages, "editor-region").get(f"/packs/announcement/{gone}")[1]


def test_the_mini_program_reads_what_a_code_leads_to(
    uow_factory: UnitOfWorkFactory, public: CheckedClient
) -> None:
    made = convert_announcement_picture(a_picture(size=(600, 400)))
    with uow_factory.begin() as uow:
        name = keep_announcement_picture(uow, made)
        row = sent(uow, page="packages/quiz/round/index", picture=name, **owned_by(NANNING))
        ref, title = row.ref, row.title
        code = a_channel_code(uow, ref).code
        lecture = a_lecture(uow).ref
        other = a_channel_code(uow, lecture).code
    found = public.get(f"/codes/{code}").get_json()
    assert (found["target"], found["id"], found["title"]) == ("announcement", ref, title)
    assert (found["page"], found["publisher"]) == ("packages/quiz/round/index", "南宁市")
    assert found["picture_url"] == f"/pictures/announcements/{name}.jpg"
    found = public.get(f"/codes/{other}").get_json()
    assert found["page"] == f"packages/lectures/detail/index?id={lecture}"
    assert public.get("/codes/none").status_code == 404


def test_the_pictures_of_a_code(
    uow_factory: UnitOfWorkFactory, public: CheckedClient, tmp_path: Path
) -> None:
    with uow_factory.begin() as uow:
        row = a_channel_code(uow, a_lecture(uow).ref)
        code, code_id = row.code, row.id
    picture = public.get(f"/codes/{code}/link.png")
    assert picture.mimetype == "image/png"
    link = read_code(opened(picture.data), tmp_path)
    assert link is not None
    assert link.endswith(f"/p/{code}")
    assert public.get(f"/codes/{code}/mini.jpg").status_code == 404
    with uow_factory.begin() as uow:
        uow.session.execute(
            update(ChannelCode).where(ChannelCode.id == code_id).values(picture=a_code())
        )
    assert public.get(f"/codes/{code}/mini.jpg").data == a_code()
    for name in ("link.png", "mini.jpg"):
        assert public.get(f"/codes/none/{name}").status_code == 404


def test_the_place_of_a_unit_that_ended_closes_no_page(
    uow_factory: UnitOfWorkFactory, public: CheckedClient, pages: Flask
) -> None:
    gone = Scope(city="450100", county="450103", unit_id=99)
    with uow_factory.begin() as uow:
        ref = a_lecture(uow, **owned_by(gone)).ref
        code = a_channel_code(uow, ref, **owned_by(gone)).code
    assert public.get(f"/codes/{code}").get_json()["publisher"] == "八桂科普"
    assert Browser(pages, "editor-region").get(f"/packs/activity/{ref}")[0] == 200


def test_pages_link_to_the_pack(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    root = Path(__file__).parents[3] / "server"
    for page, target in (("activities", "activity"), ("announcements", "announcement")):
        text = (root / page / "pages" / f"{target}.html").read_text(encoding="utf-8")
        assert f'href="/console/packs/{target}/{{{{ row.ref }}}}"' in text
    assert {"/p/<code>", "/console/packs/<target>/<ref>"} <= {
        rule.rule for rule in app.url_map.iter_rules()
    }
    assert owned_by(REGION)["owner"] == "region"
