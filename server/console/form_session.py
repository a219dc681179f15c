"""The cookie with a form's CSRF token and the message shown after a change."""

from __future__ import annotations

from flask import Flask
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.wrappers import Request

from server.base.settings import Settings
from server.base.signing import Keys

PREFIX = "/console"
SESSION_COOKIE = "kepu_console"


class ConsoleFormSession(SecureCookieSessionInterface):
    """Flask's signed cookie, only for the console, because opening it costs time."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the cookie's values; None outside the console."""
        inside = request.path == PREFIX or request.path.startswith(f"{PREFIX}/")
        return super().open_session(app, request) if inside else None


def install_form_session(app: Flask, settings: Settings, keys: Keys) -> None:
    """Store CSRF tokens in a signed cookie that is only sent to the console's addresses."""
    app.secret_key = keys.blind_hash("forms", "console.forms")
    app.session_interface = ConsoleFormSession()
    app.config |= {
        "SESSION_COOKIE_NAME": "kepu_console_form",
        "SESSION_COOKIE_PATH": PREFIX,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        # The demo has no TLS.
        "SESSION_COOKIE_SECURE": settings.environment != "demo",
    }
