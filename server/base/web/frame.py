"""The bare Flask app: sizes and trusted proxies, nothing that a slice cares about."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from server.base.settings import Settings

JSON_LIMIT_BYTES = 64 * 1024


def new_flask(settings: Settings) -> Flask:
    """A bare Flask app with our limits."""
    app = Flask("kepu", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = JSON_LIMIT_BYTES
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    return app
