"""Lists: paging, sorting, filters and columns from one declaration, within the scope."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from server.base.access import REGION
from server.base.errors import Invalid
from server.base.uow import UnitOfWorkFactory
from server.channel.models import RuleState
from server.console.list_paging import count_rows
from server.console.list_views import MOST_SAVED, TableView, forget_views, read_table
from server.console.tables import Table
from tests.kit.console import LIUZHOU, NANNING, PEOPLE, Browser, console_app
from tests.kit.console_lists import PAGES, TABLE, RuleQuery, declared_table, make_rules

EDITOR = "editor-city"


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    with uow_factory.begin() as uow:
        make_rules(uow, NANNING, [f"text {number}" for number in range(12)])
        make_rules(uow, LIUZHOU, ["of another city"])
    return console_app(uow_factory, PAGES)[0]


def read(
    uow_factory: UnitOfWorkFactory, query: RuleQuery, table: Table = TABLE, who: str = EDITOR
) -> TableView:
    with uow_factory.begin(read_only=True) as uow:
        return read_table(uow, PEOPLE[who], table, query)


def slugs(view: TableView) -> list[str]:
    return [row.cells[0].text for row in view.rows]


def cursor(address: str | None, name: str) -> str:
    found = re.search(rf"{name}=([^&]+)", address or "")
    assert found is not None
    return found[1]


@pytest.mark.parametrize("sort", ["slug", "-slug", "priority", "-priority"])
def test_pages_forth_and_back_show_each_row_once_while_others_are_inserted(
    app: Flask, uow_factory: UnitOfWorkFactory, sort: str
) -> None:
    whole = read(uow_factory, RuleQuery(sort=sort), declared_table(page_rows=100))
    pages, query = [], RuleQuery(sort=sort)
    while True:
        view = read(uow_factory, query)
        pages.append([slug for slug in slugs(view) if slug < "r00013"])
        if view.older is None:
            break
        query = RuleQuery(sort=sort, after=cursor(view.older, "after"))
        with uow_factory.begin() as uow:
            # Rows before and after the place where the reader is.
            make_rules(uow, NANNING, ["new"], priority=0)
            make_rules(uow, NANNING, ["new"], priority=2)
        assert len(pages) < 20
    assert [slug for page in pages for slug in page] == slugs(whole)
    back = read(uow_factory, RuleQuery(sort=sort, before=cursor(view.newer, "before")))
    assert back.older is not None
    again = read(uow_factory, RuleQuery(sort=sort, after=cursor(back.older, "after")))
    assert slugs(again) == slugs(view)


def test_the_first_and_the_last_page_have_one_neighbour(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    first = read(uow_factory, RuleQuery())
    assert (first.newer, slugs(first)) == (None, [f"r{number:05d}" for number in range(5)])
    second = read(uow_factory, RuleQuery(after=cursor(first.older, "after")))
    third = read(uow_factory, RuleQuery(after=cursor(second.older, "after")))
    assert (third.older, slugs(third)) == (None, ["r00010", "r00011"])
    back = read(uow_factory, RuleQuery(before=cursor(second.newer, "before")))
    assert (back.newer, slugs(back)) == (None, slugs(first))


@pytest.mark.parametrize("after", ["x", "W10", "bnVsbA", "WyJzbHVnIiwicGxhaW4iLCJhXHUwMDAwIiwxXQ"])
def test_a_cursor_of_somebody_else_is_refused(
    app: Flask, uow_factory: UnitOfWorkFactory, after: str
) -> None:
    with pytest.raises(Invalid):
        read(uow_factory, RuleQuery(after=after))
    mine = read(uow_factory, RuleQuery())
    with pytest.raises(Invalid):
        read(uow_factory, RuleQuery(sort="-slug", after=cursor(mine.older, "after")))
    assert Browser(app, EDITOR).get(f"/listed?after={after}")[0] == 422


def test_filters_narrow_the_list_and_its_count(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    view = read(uow_factory, RuleQuery(words="text 1", state=RuleState.ON))
    assert (slugs(view), view.count, view.is_filtered) == (["r00001", "r00011"], 2, True)
    assert view.export_address == "/console/listed/export?words=text+1&state=on"
    browser = Browser(app, EDITOR)
    assert "没有符合条件的内容" in browser.get("/listed?words=nothing")[1]
    # The empty fields of the filter form are no filters.
    assert "共 12 条" in browser.get("/listed?words=&state=")[1]
    assert "共 6 条" in browser.get("/listed?words=&state=on")[1]
    assert browser.get("/listed?state=odd")[0] == 422


def test_a_list_shows_only_rows_of_the_own_place(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    assert read(uow_factory, RuleQuery(words="of another")).count == 0
    assert read(uow_factory, RuleQuery(words="of another"), who="editor-region").count == 1


def test_counting_stops_at_its_limit(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin(read_only=True) as uow:
        statement = TABLE.select(uow, PEOPLE[EDITOR], RuleQuery())
        assert [count_rows(uow, statement, most) for most in (3, 12, 100)] == [4, 12, 12]


def test_values_are_shown_in_words_with_links_and_badges(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    shown = Browser(app, EDITOR).get("/listed")[1]
    assert '<td><a href="/console/rules/r00000">r00000</a></td>' in shown
    assert '<td class="long">text 0</td>' in shown
    assert '<td class="number">1</td>' in shown
    assert '<td><span class="badge badge-good">on</span></td>' in shown
    assert 'aria-sort="ascending"' in shown
    assert "city:450100" not in shown


def test_an_organizer_chooses_columns_for_this_list_and_nobody_else(app: Flask) -> None:
    browser = Browser(app, EDITOR)
    form = {"act": "columns", "columns": "owner", "back": "words=text&after=x&other=1"}
    answer = browser.open("POST", "/listed/view", form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/listed?words=text")
    shown = browser.get("/listed")[1]
    assert "已经保存要显示的列" in shown
    assert "city:450100" in shown
    assert "text 0" not in shown
    assert "city:450100" not in Browser(app, "approver-city").get("/listed")[1]
    assert "city:450100" not in browser.get("/people")[1]
    browser.open("POST", "/listed/view", {"act": "reset"})
    assert "text 0" in browser.get("/listed")[1]


def test_a_filter_is_saved_by_a_name_used_and_deleted(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    browser = Browser(app, EDITOR)
    form = {"act": "save", "title": "<b>在用</b>", "back": "state=on&before=x"}
    assert browser.open("POST", "/listed/view", form).status_code == 303
    browser.open("POST", "/listed/view", {**form, "back": "state=off"})
    shown = browser.get("/listed")[1]
    assert '<a href="/console/listed?state=off">&lt;b&gt;在用&lt;/b&gt;</a>' in shown
    assert "&lt;b&gt;" not in Browser(app, "approver-city").get("/listed")[1]
    (ref,) = re.findall(r'name="ref" value="([^"]+)"', shown)
    other = Browser(app, "approver-city")
    assert other.open("POST", "/listed/view", {"act": "delete", "ref": ref}).status_code == 404
    assert browser.open("POST", "/listed/view", {"act": "delete", "ref": ref}).status_code == 303
    assert "还没有保存的条件" in browser.get("/listed")[1]
    browser.open("POST", "/listed/view", form)
    with uow_factory.begin() as uow:
        forget_views(uow, PEOPLE[EDITOR].id)
    assert "还没有保存的条件" in browser.get("/listed")[1]


@pytest.mark.parametrize(
    ("title", "said"), [("", "请填写名字"), ("长" * 41, "名字太长"), ("又一个", "最多保存20个")]
)
def test_a_filter_that_cannot_be_saved_is_told_beside_its_field(
    app: Flask, title: str, said: str
) -> None:
    browser = Browser(app, EDITOR)
    for number in range(MOST_SAVED):
        browser.open("POST", "/listed/view", {"act": "save", "title": f"n{number}", "back": ""})
    status, shown = browser.ask("POST", "/listed/view", {"act": "save", "title": title})
    assert status == 422
    assert re.search(rf'id="title-wrong">{said}', shown)


@pytest.mark.parametrize("broken", [{"sort": "text"}, {"sort": "none"}, {}])
def test_a_declaration_that_cannot_work_is_refused(broken: dict[str, object]) -> None:
    columns = TABLE.columns
    if not broken:
        broken = {"columns": (*columns, columns[0])}
    with pytest.raises(ValueError, match="names of columns are unique"):
        declared_table(**broken)


def test_the_region_sees_the_rows_of_every_city(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        make_rules(uow, REGION, ["a"])
        make_rules(uow, LIUZHOU, ["b"])
    assert read(uow_factory, RuleQuery(), who="editor-region").count == 2
    assert read(uow_factory, RuleQuery(), who="editor-other").count == 1
