"""The bare Flask app: sizes and trusted proxies, nothing that a slice cares about."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from server.base.settings import Settings

JSON_LIMIT_BYTES = 64 * 1024


def new_flask(settings: Settings) -> Flask:
    """A bare Flask app with our limits."""
    app = Flask("kepu", static_folder=None)
    # An address is known or it is 404. A redirect to a tidier one would be a page of HTML, and its
    # address would be made of the Host header, which anybody may forge.
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = True
    app.url_map.redirect_defaults = False
    app.config["MAX_CONTENT_LENGTH"] = JSON_LIMIT_BYTES
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        # The caller's address alone: no answer depends on the host or the scheme that was asked.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=0, x_host=0)  # type: ignore[method-assign]
    return app
