"""The console for tests: organizers of every role and place, who sign in by a cookie."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from server.app import Application, install_apis, install_console
from server.base.access import REGION, Organizer, Role, Scope
from server.base.settings import Settings
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.drawings import Drawings, kept_drawings
from server.base.web.flask_app import new_flask
from server.base.web.page import Pages
from server.console import home
from server.console.audit import AuditEntry, AuditWriter
from server.console.form_session import SESSION_COOKIE
from server.wechat.gateway import Gateway
from tests.kit.gateway import RecordingGateway

NANNING = Scope(city="450100")
QINGXIU = Scope(city="450100", county="450103")
SCHOOL = Scope(city="450100", county="450103", unit_id=70_007)
LIUZHOU = Scope(city="450200")
PLACES = {
    "region": (REGION, "广西壮族自治区"),
    "city": (NANNING, "南宁市"),
    "county": (QINGXIU, "南宁市青秀区"),
    "unit": (SCHOOL, "南宁市第一中学"),
    "other": (LIUZHOU, "柳州市"),
}
PEOPLE = {
    f"{role.value}-{level}": Organizer(
        id=number, name=f"韦{role.value}{level}", role=role, scope=scope, place=place
    )
    for number, (role, level, scope, place) in enumerate(
        ((role, level, *where) for role in Role for level, where in PLACES.items()), start=1
    )
}

_EDGE = "edge-of-the-form"


def resolve_test_session(_uow: UnitOfWork, cookie: str) -> Organizer | None:
    """The organizer whose key in PEOPLE is the cookie's value."""
    return PEOPLE.get(cookie)


def _form_part(name: str, more: str, content: bytes) -> bytes:
    """A part of a multipart form; werkzeug's own would leave a temporary file open."""
    head = f'--{_EDGE}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n"


class Browser:
    """A browser over the console; `who` is a key of PEOPLE or None for a visitor."""

    def __init__(self, app: Flask, who: str | None = None) -> None:
        self.client: FlaskClient = app.test_client()
        if who is not None:
            self.client.set_cookie(SESSION_COOKIE, who, path="/console")

    def get(self, path: str = "") -> tuple[int, str]:
        return self.ask("GET", path, {})

    def ask(self, method: str, path: str, form: dict[str, str]) -> tuple[int, str]:
        """Status and page; a POST carries the token of this browser."""
        answer = self.open(method, path, form)
        return answer.status_code, answer.get_data().decode("utf-8", "replace")

    def open(self, method: str, path: str, form: dict[str, str]) -> TestResponse:
        address = f"/console{path}".rstrip("/")
        if method == "GET":
            return self.client.get(address)
        return self.client.open(address, method=method, data={"csrf_token": self.token(), **form})

    def send_files(
        self, path: str, fields: Mapping[str, str], files: Mapping[str, bytes]
    ) -> tuple[int, str]:
        """Post a form with files; the status, and the next path of the console or the page.

        An empty file is a field in which none was chosen.
        """
        given = {**fields, "csrf_token": self.token()}
        parts = [_form_part(name, "", value.encode()) for name, value in given.items()]
        for name, raw in files.items():
            file_name = "a.png" if raw else ""
            parts.append(_form_part(name, f'; filename="{file_name}"', raw))
        answer = self.client.post(
            f"/console{path}",
            data=b"".join(parts) + f"--{_EDGE}--\r\n".encode(),
            content_type=f"multipart/form-data; boundary={_EDGE}",
        )
        location = answer.headers.get("Location")
        return answer.status_code, location.removeprefix("/console") if location else answer.text

    def token(self) -> str:
        """The token that a form of this browser carries."""
        with self.client.session_transaction("/console") as session:
            raw = session.setdefault("csrf_token", "0" * 40)
        signer = URLSafeTimedSerializer(self.client.application.secret_key, salt="wtf-csrf-token")
        return str(signer.dumps(raw))


def console_app(
    uow_factory: UnitOfWorkFactory,
    *tables: Pages,
    settings: Settings | None = None,
    audit: AuditWriter | None = None,
    gateway: Gateway | None = None,
    first: Pages = home.PAGES,
) -> tuple[Flask, list[AuditEntry]]:
    """The console with only these tables of pages, and a list of the audit entries it writes."""
    written: list[AuditEntry] = []
    application = Application(
        app=new_flask(),
        uow_factory=uow_factory,
        gateway=gateway or RecordingGateway(),
        settings=settings or uow_factory.dependencies.settings,
    )
    install_apis(application, (), Drawings(kept_drawings(application.settings)))
    install_console(
        application,
        (first, *tables),
        resolve_test_session,
        account=None,
        audit=audit or (lambda _uow, entry: written.append(entry)),
    )
    return application.app, written
