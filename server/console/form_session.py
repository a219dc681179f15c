"""The cookie that carries a form's token and the sentence shown after a change."""

from __future__ import annotations

from flask import Flask
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.wrappers import Request

from server.base.settings import Settings
from server.base.signing import Keys

PREFIX = "/console"


class ConsoleFormSession(SecureCookieSessionInterface):
    """Flask's signed cookie, for the console alone: opening it costs every other request time."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The values of the cookie; None outside the console."""
        inside = request.path == PREFIX or request.path.startswith(f"{PREFIX}/")
        return super().open_session(app, request) if inside else None


def install_form_session(app: Flask, settings: Settings, keys: Keys) -> None:
    """Let forms keep their token in a signed cookie that only the console's addresses get."""
    app.secret_key = keys.blind("forms", "console.forms")
    app.session_interface = ConsoleFormSession()
    app.config |= {
        "SESSION_COOKIE_NAME": "kepu_console_form",
        "SESSION_COOKIE_PATH": PREFIX,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        # The demo is served without TLS.
        "SESSION_COOKIE_SECURE": settings.environment != "demo",
    }
