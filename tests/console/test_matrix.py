"""Role × route × owner over every page: nobody opens what his role or his place does not hold."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from server import slices
from server.audit.service import Subject, record_change
from server.base.access import Organizer, Permission, Role, Scope
from server.base.errors import NotFound
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.auth import Who
from server.base.web.page import Pages
from server.channel.models import RuleState
from server.console.form_session import SESSION_COOKIE
from server.console.list_pages import EXPORT_JOB
from server.console.long_jobs import find_job, start_job
from server.console.models import FileState
from server.organizers.models import (
    AccountState,
    OrganizerAccount,
    OrganizerSession,
    UnitFile,
)
from server.organizers.unit_files import UNIT_FILES
from server.quiz.enums import CaseState
from server.unit_requests.models import NameCheck, RequestState, UnitRequest
from server.units.models import Level, Unit
from server.wechat.gateway import MadeSceneCode
from tests.kit.activity_probes import ACTIVITY_PROBES
from tests.kit.announcement_form_probes import ANNOUNCEMENT_FORM_PROBES
from tests.kit.announcement_probes import ANNOUNCEMENT_PROBES
from tests.kit.certificate_probes import CERTIFICATE_PROBES
from tests.kit.checkin_probes import CHECKIN_PROBES
from tests.kit.console import PEOPLE, SCHOOL, Browser, console_app
from tests.kit.console_contests import CONTEST_PROBES
from tests.kit.console_matrix import MISSING, Probe, check_matrix, list_probes
from tests.kit.console_rules import PAGES, make_rule
from tests.kit.figure_probes import FIGURE_PROBES
from tests.kit.gateway import RecordingGateway
from tests.kit.integrity import make_entrant, make_flag
from tests.kit.pack_probes import PACK_PROBES
from tests.kit.question_probes import QUESTION_PROBES
from tests.kit.review_probes import REVIEW_PROBES
from tests.kit.signup_probes import SIGNUP_PROBES


def a_job(uow: UnitOfWork, organizer: Organizer) -> dict[str, str]:
    """A job that waits, with a file that it never had time to write."""
    ref = start_job(uow, organizer, EXPORT_JOB, {}, title_facts={"list": "x"})
    row = find_job(uow, organizer, ref)
    row.result_file, row.result_title, row.result_media = b"x", "x.csv", "text/csv"
    return {"ref": ref}


def an_organizer(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """An account of another organizer, and the only unit of the matrix."""
    a_unit(uow)
    row = OrganizerAccount(
        ref=uow.new_ref("org"), username=f"o{uow.new_ref('x')[2:12]}", name="韦",
        role=Role.EDITOR, state=AccountState.ACTIVE, created_at=uow.system_now, **owned_by(owner),
    )  # fmt: skip
    # Beyond the ids of the people who ask.
    row.id = (uow.session.scalar(select(func.max(OrganizerAccount.id))) or 0) + 1000
    uow.session.add(row)
    uow.session.flush()
    return {"ref": row.ref}


def a_unit(uow: UnitOfWork) -> None:
    if uow.session.get(Unit, SCHOOL.unit_id) is None:
        uow.session.add(
            Unit(id=SCHOOL.unit_id, ref="unt-seven", name="南宁市第一中学", kind="school",
                 level=Level.COUNTY, city="450100", county="450103", assumed=False)
        )  # fmt: skip
        uow.session.flush()


def own_account(uow: UnitOfWork, organizer: Organizer) -> None:
    """The account of the organizer who asks."""
    a_unit(uow)
    if uow.session.get(OrganizerAccount, organizer.id) is None:
        uow.session.add(
            OrganizerAccount(
                id=organizer.id, ref=f"org_{organizer.id}", username=f"u{organizer.id}",
                name=organizer.name, role=organizer.role, state=AccountState.ACTIVE,
                created_at=uow.system_now, **owned_by(organizer.scope),
            )
        )  # fmt: skip
        uow.session.flush()


def own_session(uow: UnitOfWork, organizer: Organizer) -> dict[str, str]:
    own_account(uow, organizer)
    ref = uow.new_ref("ses")
    uow.session.add(
        OrganizerSession(
            ref=ref, organizer_id=organizer.id, token_hash=ref, started_at=uow.system_now,
            seen_at=uow.system_now, network="-", browser="-",
        )
    )  # fmt: skip
    uow.session.flush()
    return {"ref": ref}


def a_role(organizer: Organizer) -> dict[str, str]:
    return {"role": "auditor", "place": organizer.scope.spelled, "reason": "x"}


def a_unit_of(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A unit of a place; the place of a unit is that unit alone."""
    a_unit(uow)
    if owner.unit_id is not None:
        unit = uow.session.get_one(Unit, SCHOOL.unit_id)
        unit.valid_to = None
        return {"ref": unit.ref}
    ref = uow.new_ref("unt")
    uow.session.add(
        Unit(ref=ref, name=ref, kind="school", level=Level.COUNTY, city=owner.city,
             county=owner.county, assumed=False)
    )  # fmt: skip
    uow.session.flush()
    return {"ref": ref}


def drop_units(uow: UnitOfWork, _organizer: Organizer) -> None:
    """Delete the units of earlier rounds, so that all of this one are on the first page."""
    uow.session.execute(delete(Unit).where(Unit.id != SCHOOL.unit_id))


def a_new_name(organizer: Organizer) -> dict[str, str]:
    return {"name": f"单位{organizer.id}-{next(_NUMBERS)}"}


def a_unit_file(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A checked file of units with one good row."""
    row = UnitFile(
        ref=uow.new_ref("unf"), file_name="单位.csv", content=b"x", said={},
        report={**UNIT_FILES.empty_report, "added": 1}, state=FileState.CHECKED, writer_id=0,
        made_at=uow.now, **owned_by(owner),
    )  # fmt: skip
    uow.session.add(row)
    uow.session.flush()
    return {"ref": row.ref}


_NUMBERS = count()
UNITS = {
    "GET /units": Probe(before=drop_units, make=a_unit_of, shows="ref"),
    **list_probes("/units"),
    "GET /units/new": Probe(),
    "POST /units/new": Probe(answers=422),
    "GET /units/import": Probe(),
    "POST /units/import": Probe(answers=422),
    "GET /units/import/example": Probe(),
    "GET /units/imports/<ref>": Probe(make=a_unit_file),
    "GET /units/imports/<ref>/columns": Probe(make=a_unit_file),
    "POST /units/imports/<ref>/columns": Probe(make=a_unit_file),
    "POST /units/imports/<ref>/all": Probe(make=a_unit_file),
    "POST /units/imports/<ref>/good": Probe(make=a_unit_file),
    "POST /units/imports/<ref>/drop": Probe(make=a_unit_file),
    "GET /units/<ref>": Probe(make=a_unit_of),
    "GET /units/<ref>/name": Probe(make=a_unit_of),
    "POST /units/<ref>/name": Probe(make=a_unit_of, form_of=a_new_name),
    "GET /units/<ref>/merge": Probe(make=a_unit_of),
    # The other unit does not exist: 404 for every unit alike, so only the role is checked here.
    "POST /units/<ref>/merge": Probe(
        make=a_unit_of, form={"reason": "x", "into": "unt_none"}, answers=404
    ),
    "GET /units/<ref>/close": Probe(make=a_unit_of),
    "POST /units/<ref>/close": Probe(make=a_unit_of, form={"reason": "x"}),
}
ORGANIZERS = {
    "GET /account": Probe(before=own_account),
    "GET /account/password": Probe(),
    "POST /account/password": Probe(answers=422),
    "GET /account/second-factor": Probe(before=own_account),
    "POST /account/second-factor": Probe(before=own_account, answers=422),
    "GET /account/recovery-codes": Probe(),
    "POST /account/recovery-codes": Probe(answers=422),
    "POST /account/sessions/<ref>/end": Probe(make_own=own_session),
    "POST /account/wechat": Probe(before=own_account, answers=200),
    "POST /account/wechat/unbind": Probe(before=own_account),
    "POST /account/wechat/test": Probe(before=own_account),
    "POST /account/wechat/notices-on": Probe(before=own_account),
    "POST /account/wechat/notices-off": Probe(before=own_account),
    "GET /organizers": Probe(make=an_organizer, shows="ref"),
    **list_probes("/organizers", reason="核对"),
    "GET /organizers/invite": Probe(),
    "POST /organizers/invite": Probe(answers=422),
    "GET /organizers/<ref>": Probe(make=an_organizer),
    "GET /organizers/<ref>/role": Probe(make=an_organizer),
    "POST /organizers/<ref>/role": Probe(make=an_organizer, form_of=a_role),
    "POST /organizers/<ref>/link": Probe(make=an_organizer, answers=200),
    "GET /organizers/<ref>/close": Probe(make=an_organizer),
    "POST /organizers/<ref>/close": Probe(make=an_organizer, form={"reason": "x"}),
    "GET /organizers/<ref>/leave": Probe(make=an_organizer),
    # The successor does not exist: 404 for every account alike, so only the role is checked here.
    "POST /organizers/<ref>/leave": Probe(
        make=an_organizer, form={"reason": "x", "successor": "org_none"}, answers=404
    ),
}


def an_entry_of_trail(uow: UnitOfWork, owner: Scope, published: bool) -> dict[str, str]:
    organizer = next(one for one in PEOPLE.values() if one.scope == owner)
    ref = uow.new_ref("hld")
    record_change(uow, organizer, "quiz.hold_results", Subject("hold", ref))
    return {"kind": "hold", "ref": ref}


def a_flag(uow: UnitOfWork, owner: Scope, published: bool) -> dict[str, str]:
    return {"ref": make_flag(uow, owner, CaseState.RELEASED)}


def an_appealed_flag(uow: UnitOfWork, owner: Scope, published: bool) -> dict[str, str]:
    return {"ref": make_flag(uow, owner, CaseState.APPEALED)}


def a_unit_request(uow: UnitOfWork, owner: Scope, published: bool) -> dict[str, str]:
    a_unit(uow)
    ref = uow.new_ref("unq")
    uow.session.add(
        UnitRequest(ref=ref, name=ref, name_key=ref, name_check=NameCheck.PASSED, sentence="",
                    state=RequestState.WAITING, made_at=uow.now, **owned_by(owner))
    )  # fmt: skip
    uow.session.flush()
    return {"ref": ref}


def an_entrant(uow: UnitOfWork, owner: Scope, published: bool) -> dict[str, str]:
    return {"ref": make_entrant(uow, owner)}


# Every page of the product, with the objects it shows.
PROBES = {
    **ACTIVITY_PROBES,
    **ANNOUNCEMENT_PROBES,
    **ANNOUNCEMENT_FORM_PROBES,
    **CERTIFICATE_PROBES,
    **SIGNUP_PROBES,
    **CHECKIN_PROBES,
    **ORGANIZERS,
    **UNITS,
    "GET /": Probe(),
    "GET /unit-requests": Probe(make=a_unit_request, shows="ref"),
    **list_probes("/unit-requests"),
    "GET /unit-requests/<ref>": Probe(make=a_unit_request),
    "POST /unit-requests/<ref>": Probe(
        make=a_unit_request, form={"answer": "refused", "sentence": "重复", "kind": "school"}
    ),
    "GET /audit": Probe(make=an_entry_of_trail, shows="ref"),
    **list_probes("/audit", reason="核对"),
    "GET /audit/<kind>/<ref>": Probe(make=an_entry_of_trail),
    "GET /integrity": Probe(make=a_flag, shows="ref"),
    **list_probes("/integrity", reason="核对"),
    "GET /integrity/<ref>": Probe(make=a_flag),
    "GET /integrity/<ref>/hold": Probe(make=a_flag),
    "POST /integrity/<ref>/hold": Probe(make=a_flag, form={"reason": "答题过快"}),
    "GET /integrity/<ref>/clear": Probe(make=a_flag),
    "POST /integrity/<ref>/clear": Probe(make=a_flag, form={"reason": "只是熟练"}),
    "GET /integrity/<ref>/decision": Probe(make=an_appealed_flag),
    "POST /integrity/<ref>/decision": Probe(
        make=an_appealed_flag, form={"reason": "核对过了", "decision": "release"}
    ),
    "GET /entrants": Probe(make=an_entrant, shows="ref"),
    **list_probes("/entrants", reason="核对"),
    "GET /entrants/<ref>": Probe(make=an_entrant),
    "GET /jobs": Probe(),
    "GET /jobs/<ref>": Probe(make_own=a_job),
    "GET /jobs/<ref>/file": Probe(make_own=a_job),
    "POST /jobs/<ref>/cancel": Probe(make_own=a_job),
    **list_probes("/jobs"),
    **PACK_PROBES,
    **QUESTION_PROBES,
    **FIGURE_PROBES,
    **CONTEST_PROBES,
    **REVIEW_PROBES,
}
# Pages without a session: the log-in, what an invitation or a recovery link opens, and the wall of
# a hall, whose computer must not have one.
OPEN = {
    "GET /login",
    "POST /login",
    "POST /logout",
    "GET /links/<token>",
    "POST /links/<token>",
    "GET /screens/<code>",
}


def a_rule(uow: UnitOfWork, owner: Scope, published: bool) -> dict[str, str]:
    return {"slug": make_rule(uow, owner, RuleState.ON if published else RuleState.OFF).slug}


SAMPLE_PROBES = {
    "GET /rules": Probe(make=a_rule, shows="slug", upward=True),
    "GET /rules/<slug>": Probe(make=a_rule, upward=True),
    "GET /rules/<slug>/edit": Probe(make=a_rule),
    "POST /rules/<slug>/edit": Probe(make=a_rule, form={"text": "新的"}),
    "POST /rules/<slug>/off": Probe(make=a_rule),
}


@pytest.mark.parametrize("tag", [pages.tag for pages in slices.PAGES])
def test_every_page_of_the_product_holds_role_and_place(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, tag: str
) -> None:
    tables = [pages for pages in slices.PAGES if pages.tag != "console"]
    gateway.answers["scene_code"] = MadeSceneCode(ticket="t", url="http://weixin.qq.com/q/x",
                                                  picture_url="")  # fmt: skip
    app, _ = console_app(uow_factory, *tables, gateway=gateway)
    (routes,) = (pages.routes for pages in slices.PAGES if pages.tag == tag)
    assert check_matrix(app, uow_factory, routes, PROBES) == []


def test_every_entry_belongs_to_a_page() -> None:
    assert set(PROBES) == {route.spelled for pages in slices.PAGES for route in pages.routes}


def test_pages_with_owners_hold_role_and_place(uow_factory: UnitOfWorkFactory) -> None:
    app, _ = console_app(uow_factory, PAGES)
    assert check_matrix(app, uow_factory, PAGES.routes, SAMPLE_PROBES, everybody=True) == []


def test_a_page_without_an_entry_is_named(uow_factory: UnitOfWorkFactory) -> None:
    app, _ = console_app(uow_factory, PAGES)
    faults = check_matrix(app, uow_factory, PAGES.routes[:1], {})
    assert faults == [f"GET /rules: {MISSING}"]


def tables_with(path: str, **changed: object) -> Pages:
    """The sample pages with one of them changed."""
    routes = [replace(r, **changed) if r.spelled == path else r for r in PAGES.routes]  # type: ignore[arg-type]
    return Pages(PAGES.tag, PAGES.folder, routes)


def test_a_page_that_asks_for_too_little_is_found(uow_factory: UnitOfWorkFactory) -> None:
    lax = tables_with("POST /rules/<slug>/off", needs=Permission.CONSOLE_OPEN)
    app, _ = console_app(uow_factory, lax)
    (route,) = (r for r in PAGES.routes if r.spelled == "POST /rules/<slug>/off")
    faults = check_matrix(app, uow_factory, [route], SAMPLE_PROBES, everybody=True)
    assert "POST /rules/<slug>/off as auditor-city on city:450100: 303 instead of 403" in faults


def test_a_page_that_changes_what_is_only_readable_is_found(uow_factory: UnitOfWorkFactory) -> None:
    def show(uow: UnitOfWork, organizer: object, slug: str) -> object:
        return next(r for r in PAGES.routes if r.path == "/rules/<slug>").view(uow, organizer, slug)

    wide = tables_with("GET /rules/<slug>/edit", view=lambda uow, organizer, slug, form: show(
        uow, organizer, slug))  # fmt: skip
    app, _ = console_app(uow_factory, wide)
    (route,) = (r for r in wide.routes if r.spelled == "GET /rules/<slug>/edit")
    faults = check_matrix(app, uow_factory, [route], SAMPLE_PROBES, everybody=True)
    assert "GET /rules/<slug>/edit as editor-county on region: 200 instead of 404" in faults


def test_a_list_that_hides_rows_is_found(uow_factory: UnitOfWorkFactory) -> None:
    def nothing(uow: UnitOfWork, organizer: object) -> object:
        raise NotFound

    app, _ = console_app(uow_factory, tables_with("GET /rules", view=nothing))
    faults = check_matrix(app, uow_factory, PAGES.routes[:1], SAMPLE_PROBES)
    assert "GET /rules as editor-region: 404 instead of 200" in faults


@pytest.mark.parametrize("who", [None, "editor-region"])
def test_a_session_of_the_console_opens_no_endpoint_of_citizens(
    app: Flask, who: str | None
) -> None:
    client = app.test_client()
    client.set_cookie(SESSION_COOKIE, who or "x", path="/")
    for api in slices.APIS:
        for route in api.routes:
            if route.who is Who.CITIZEN:
                path = route.path.replace("<", "").replace(">", "")
                answer = client.open(f"/api/v1{path}", method=route.method, json={})
                assert answer.status_code == 401, path


def test_a_citizens_token_opens_no_page_of_the_console(app: Flask) -> None:
    answer = app.test_client().get("/console", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/console/login")


def test_no_page_but_the_log_in_one_time_links_and_the_wall_is_open() -> None:
    opened = {route.spelled for pages in slices.PAGES for route in pages.open_routes}
    assert opened == OPEN


def test_a_cookie_that_is_no_token_of_a_session_opens_nothing(app: Flask) -> None:
    for who in PEOPLE:
        assert Browser(app, who).get()[0] == 303
