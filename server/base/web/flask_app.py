"""The bare Flask app: size limits and trusted proxies."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from server.base.settings import Settings
from server.base.web.incoming import JSON_LIMIT_BYTES


def new_flask() -> Flask:
    """Create a Flask app with our limits."""
    app = Flask("kepu", static_folder=None)
    # A path that does not match exactly is 404. Flask's redirect to a normalised path would be
    # HTML, and its address would be built from the Host header, which clients can forge.
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = True
    app.url_map.redirect_defaults = False
    app.config["MAX_CONTENT_LENGTH"] = JSON_LIMIT_BYTES
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it
    return app


def trust_proxies(app: Flask, settings: Settings) -> None:
    """Take the client address from trusted proxies; call it after the API middleware is added."""
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        # Only the client's address is taken from proxies; no response depends on host or scheme.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=0, x_host=0)  # type: ignore[method-assign]
