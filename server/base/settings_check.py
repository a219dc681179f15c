"""What makes settings unfit for use, above all in production; every complaint names its setting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from server.base.demo_secrets import known_demo_secrets

if TYPE_CHECKING:
    from server.base.settings import Settings, WeChatApp

_PLACEHOLDER = re.compile(r"change.?me|example|placeholder|^secret|^demo|^test", re.IGNORECASE)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def complaints_about(settings: Settings) -> list[str]:
    """All reasons not to start with these settings."""
    found: list[str] = []
    if settings.environment not in ("demo", "test", "production"):
        found.append("environment: demo, test or production expected")
    apps = {
        "wechat.official_account": settings.wechat.official_account,
        "wechat.mini_program": settings.wechat.mini_program,
    }
    for name, app in apps.items():
        found += _about_app(name, app, settings.environment == "production")
    if settings.wechat.calls_at_once < 1:
        found.append("wechat.calls_at_once: at least 1 expected")
    if len(settings.security.master_key) < 32:
        found.append("security.master_key: at least 32 characters are needed")
    if settings.environment == "production":
        found += _about_production(settings)
    return found


def _about_app(name: str, app: WeChatApp, production: bool) -> list[str]:
    found = []
    if not app.appid or not app.secret:
        found.append(f"{name}: appid and secret are missing")
    if app.mode not in ("plain", "compatible", "safe"):
        found.append(f"{name}.mode: plain, compatible or safe expected")
    # An empty token makes a signature that anybody can compute.
    if not re.fullmatch(r"[A-Za-z0-9]{3,32}", app.token):
        found.append(f"{name}.token: 3 to 32 letters and digits expected")
    if app.mode != "plain" and not re.fullmatch(r"[A-Za-z0-9]{43}", app.aes_key):
        found.append(f"{name}.aes_key: exactly 43 letters and digits expected")
    if production and len(app.token) < 16:
        found.append(f"{name}.token: at least 16 characters in production")
    if production and app.mode != "safe":
        found.append(f"{name}.mode: production takes safe mode only")
    return found


def _about_production(settings: Settings) -> list[str]:
    found = []
    demo = known_demo_secrets(settings.var)
    official, mini = settings.wechat.official_account, settings.wechat.mini_program
    secrets = {
        "security.master_key": settings.security.master_key,
        "wechat.official_account.secret": official.secret,
        "wechat.official_account.token": official.token,
        "wechat.official_account.aes_key": official.aes_key,
        "wechat.mini_program.secret": mini.secret,
        "wechat.mini_program.token": mini.token,
        "wechat.mini_program.aes_key": mini.aes_key,
    }
    for name, value in secrets.items():
        if value in demo or _PLACEHOLDER.search(value) or len(set(value)) < 5:
            found.append(f"{name}: a demo or placeholder secret")
    bases = {
        "public_url": settings.public_url,
        "wechat.api_base": settings.wechat.api_base,
        "wechat.open_base": settings.wechat.open_base,
        "wechat.mp_base": settings.wechat.mp_base,
        "wechat.old_phone_url": settings.wechat.old_phone_url,
    }
    for name, address in bases.items():
        parts = urlsplit(address)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            found.append(f"{name}: https is needed in production")
    if not settings.database_url:
        found.append("database_url: missing")
    return found
