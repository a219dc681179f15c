"""Histories in words: every change of the product, and every link that leads to one."""

from __future__ import annotations

import re

from server import slices
from server.audit.models import AuditRecord
from server.audit.reading import AuditLine, describe_entries
from server.audit.service import record_page
from server.base.uow import UnitOfWorkFactory
from server.slices import PAGES
from server.wechat.gateway import MadeSceneCode
from tests.console.test_every_page import fill_address, who_may_open
from tests.console.test_matrix import PROBES
from tests.kit.console import PEOPLE, Browser, console_app
from tests.kit.gateway import RecordingGateway

CHINESE = re.compile("[\u4e00-\u9fff]")
CODE = re.compile(r"[a-z][a-z]+(_[a-z]+)*")
# Names and words of the tests' own objects, and file formats.
OWN_WORDS = {"x", "matrix", "demo"}


def entries_of_every_change(uow_factory: UnitOfWorkFactory) -> list[AuditLine]:
    """Every change of the product is made once; the entries in words."""
    gateway = RecordingGateway()
    gateway.answers["scene_code"] = MadeSceneCode(
        ticket="t", url="http://weixin.qq.com/q/x", picture_url=""
    )
    tables = [pages for pages in PAGES if pages.tag != "console"]
    app, _ = console_app(uow_factory, *tables, gateway=gateway, audit=record_page)
    for route in (one for pages in PAGES for one in pages.routes if one.method == "POST"):
        probe, who = PROBES[route.spelled], who_may_open(route)
        form = probe.form if probe.form_of is None else probe.form_of(PEOPLE[who])
        Browser(app, who).ask("POST", fill_address(uow_factory, route), dict(form))
    with uow_factory.begin(read_only=True) as uow:
        return describe_entries(uow, uow.session.query(AuditRecord).all())


def faults_of(line: AuditLine) -> list[str]:
    named = [(line.act, line.act), (line.act, line.kind), (line.act, line.role)]
    named += [(line.act, one.name) for one in line.changes]
    faults = [f"{act}: {word}" for act, word in named if not CHINESE.search(word)]
    for one in line.changes:
        for value in (one.before, one.after):
            if CODE.fullmatch(value) and value not in OWN_WORDS:
                faults.append(f"{line.act}: {one.name} is {value}")
    return faults


def test_every_recorded_field_and_code_has_words(uow_factory: UnitOfWorkFactory) -> None:
    lines = entries_of_every_change(uow_factory)
    assert len({line.act for line in lines}) > 30
    faults = sorted({fault for line in lines for fault in faults_of(line)})
    assert faults == [], (
        "write these words under [act], [recorded] and [recorded_value.<field>] in the texts.toml"
        " of the slice, and those of kinds of objects under [kind] in server/audit/texts.toml"
    )


def test_every_link_to_a_history_opens_for_whoever_is_shown_it(
    uow_factory: UnitOfWorkFactory,
) -> None:
    app, _ = console_app(
        uow_factory, *(pages for pages in slices.PAGES if pages.tag != "console"), audit=record_page
    )
    opened, faults = set(), []
    for route in (one for pages in slices.PAGES for one in pages.routes if one.method == "GET"):
        path = fill_address(uow_factory, route)
        for who in (who_may_open(route), "approver-region", "editor-county", "auditor-city"):
            browser = Browser(app, who)
            for link in re.findall(r'href="/console(/audit/[^"?]+/[^"?]+)"', browser.get(path)[1]):
                opened.add(link.split("/")[2])
                status = browser.get(link)[0]
                faults += [] if status == 200 else [f"{path} as {who}: {link} {status}"]
    assert faults == [], (
        "kind and ref of parts.history are those of the Subject that the service records"
    )
    assert {"question", "contest", "unit"} <= opened
