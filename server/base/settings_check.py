"""Checks settings, above all for production; every error names its setting."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from server.base.demo_secrets import known_demo_secrets
from server.base.settings import Settings, WeChatApp

_PLACEHOLDER = re.compile(r"change.?me|example|placeholder|^secret|^demo|^test", re.IGNORECASE)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")
_OWN_REDIS = ("embedded", "fake")
_REDIS = (*_OWN_REDIS, "redis", "rediss", "unix")
_READ_BY_OTHERS = 0o007
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")


def complaints_about_forms(settings: Settings) -> list[str]:
    """Malformed settings, in any environment."""
    found = [*_about_forms(settings), *_about_addresses(settings)]
    if settings.emulated and settings.port == settings.emulator_port:
        found.append("emulator_port: another than that of the server is needed")
    return found


def complaints_about_apps(settings: Settings) -> list[str]:
    """Missing or wrong values of the two apps and the master key, in any environment."""
    found = []
    for name, app in _app_settings(settings).items():
        found += _about_app(name, app)
    if len(settings.security.master_key) < 32:
        found.append("security.master_key: at least 32 characters are needed")
    return found


def complaints_about_production(
    settings: Settings, demo_operator: Collection[str] = ()
) -> list[str]:
    """All reasons not to serve real citizens with these settings.

    `demo_operator` is the demo's operator data, which no real service may publish.
    """
    found = _about_operator(settings, demo_operator)
    for part in _PRODUCTION:
        found += part(settings)
    return found


def exposed_secrets(layers: Mapping[Path, Mapping[str, Any]]) -> list[str]:
    """Files with secrets that other users can read."""
    return [
        f"{path.name}: holds {name} and can be read by others; take their right away (chmod o=)"
        for path, layer in layers.items()
        if (name := _first_secret(layer)) and path.stat().st_mode & _READ_BY_OTHERS
    ]


def _first_secret(layer: Mapping[str, Any], prefix: str = "") -> str | None:
    for key, value in layer.items():
        if isinstance(value, Mapping):
            if found := _first_secret(value, f"{prefix}{key}."):
                return found
        elif value and (
            key in ("secret", "token", "aes_key", "master_key")
            or (key in ("database_url", "redis_url") and _has_password(str(value)))
        ):
            return prefix + key
    return None


def _app_settings(settings: Settings) -> dict[str, WeChatApp]:
    return {
        "wechat.official_account": settings.wechat.official_account,
        "wechat.mini_program": settings.wechat.mini_program,
    }


def _about_forms(settings: Settings) -> list[str]:
    found = []
    if settings.environment not in ("demo", "test", "production"):
        found.append("environment: demo, test or production expected")
    if settings.demo_season not in ("full", "none"):
        found.append("demo_season: full or none expected")
    if settings.log_level.upper() not in _LEVELS:
        found.append(f"log_level: one of {', '.join(_LEVELS)} expected")
    if not re.fullmatch(r"[\x21-\x7e]{1,40}", settings.policy_version):
        found.append("policy_version: 1 to 40 letters, digits and signs expected")
    if settings.policy_date:
        try:
            date.fromisoformat(settings.policy_date)
        except ValueError:
            found.append("policy_date: a day like 2026-05-01 expected")
    return found


def _about_addresses(settings: Settings) -> list[str]:
    found = []
    database, redis = _scheme_of(settings.database_url), _scheme_of(settings.redis_url)
    if settings.database_url and database not in _DATABASES:
        found.append(
            "database_url: sqlite:///file or postgresql://user:password@host/name expected"
        )
    if redis not in _REDIS:
        found.append("redis_url: embedded:, redis://, rediss:// or unix:// expected")
    bases = _wechat_bases(settings)
    if settings.public_url:
        bases["public_url"] = settings.public_url
    for name, address in bases.items():
        parts = _split_address(address)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            found.append(f"{name}: an address like https://host expected")
    names = filter(None, (one.strip() for one in settings.allowed_hosts.split(",")))
    if not all(_HOST_NAME.fullmatch(one) for one in names):
        found.append("allowed_hosts: host names without port, separated by commas, expected")
    return found


def _about_app(name: str, app: WeChatApp) -> list[str]:
    found = []
    if not app.appid or not app.secret:
        found.append(f"{name}: appid and secret are missing")
    if app.mode not in ("plain", "compatible", "safe"):
        found.append(f"{name}.mode: plain, compatible or safe expected")
    # With an empty token anybody could compute a valid signature.
    if not re.fullmatch(r"[A-Za-z0-9]{3,32}", app.token):
        found.append(f"{name}.token: 3 to 32 letters and digits expected")
    if app.mode != "plain" and not re.fullmatch(r"[A-Za-z0-9]{43}", app.aes_key):
        found.append(f"{name}.aes_key: exactly 43 letters and digits expected")
    return found


def _about_live_apps(settings: Settings) -> list[str]:
    found = []
    for name, app in _app_settings(settings).items():
        if app.appid and not re.fullmatch(r"wx[0-9a-f]{16}", app.appid):
            found.append(f"{name}.appid: wx and 16 hexadecimal digits expected")
        if len(app.token) < 16:
            found.append(f"{name}.token: at least 16 characters in production")
        if app.mode != "safe":
            found.append(f"{name}.mode: production takes safe mode only")
        if not re.fullmatch(r"gh_[A-Za-z0-9_-]{4,40}", app.original_id):
            found.append(f"{name}.original_id: gh_... is missing; callbacks are checked against it")
    appids = [app.appid for app in _app_settings(settings).values() if app.appid]
    if len(set(appids)) < len(appids):
        found.append("wechat.mini_program.appid: the same as that of the official account")
    return found


def _about_secrets(settings: Settings) -> list[str]:
    demo = known_demo_secrets(settings.var)
    secrets = {"security.master_key": settings.security.master_key}
    for name, app in _app_settings(settings).items():
        secrets |= {
            f"{name}.secret": app.secret,
            f"{name}.token": app.token,
            f"{name}.aes_key": app.aes_key,
        }
    return [
        f"{name}: a demo or placeholder secret"
        for name, value in secrets.items()
        if value in demo or _PLACEHOLDER.search(value) or len(set(value)) < 5
    ]


def _about_live_addresses(settings: Settings) -> list[str]:
    found = []
    addresses = {"public_url": settings.public_url}
    addresses["wechat.old_phone_url"] = settings.wechat.old_phone_url
    for name, address in _wechat_bases(settings).items():
        if settings.allow.other_wechat:
            addresses[name] = address
        elif not _is_wechats(address):
            found.append(f"{name}: no address of WeChat (allow.other_wechat, where that is meant)")
    for name, address in addresses.items():
        parts = _split_address(address)
        if parts is None or (parts.scheme != "https" and parts.hostname not in _LOOPBACK):
            found.append(f"{name}: https is needed in production")
    return found


def _is_wechats(address: str) -> bool:
    parts = _split_address(address)
    return (
        parts is not None
        and (parts.hostname or "").endswith(".weixin.qq.com")
        and (parts.scheme, parts.path.strip("/"), parts.query) == ("https", "", "")
        and parts.netloc == parts.hostname
    )


def _about_stores(settings: Settings) -> list[str]:
    found = []
    if not settings.database_url:
        found.append("database_url: missing")
    elif _scheme_of(settings.database_url) == "sqlite" and not settings.allow.sqlite:
        found.append("database_url: SQLite in production (allow.sqlite, where that is meant)")
    kind = _scheme_of(settings.redis_url)
    if kind in _OWN_REDIS:
        if not settings.allow.embedded_redis:
            found.append(
                f"redis_url: {kind}: in production (allow.embedded_redis, where that is meant)"
            )
    elif kind in ("redis", "rediss") and not _is_guarded(settings.redis_url):
        found.append("redis_url: a Redis on another machine needs a password")
    if not (settings.var.is_dir() and os.access(settings.var, os.W_OK | os.X_OK)):
        found.append(f"var: {settings.var} is no folder that can be written to")
    return found


def _is_guarded(redis_url: str) -> bool:
    parts = _split_address(redis_url)
    return parts is not None and (parts.hostname in _LOOPBACK or _has_password(redis_url))


def _about_operator(settings: Settings, demo_operator: Collection[str]) -> list[str]:
    found = []
    for name, words in asdict(settings.operator).items():
        if not words.strip():
            found.append(f"operator.{name}: missing; the privacy policy names it")
        elif words in demo_operator:
            found.append(f"operator.{name}: the demo's words")
    if not settings.policy_date:
        found.append("policy_date: missing; the privacy policy names it")
    return found


def _wechat_bases(settings: Settings) -> dict[str, str]:
    names = ("api_base", "open_base", "mp_base")
    return {f"wechat.{name}": str(getattr(settings.wechat, name)) for name in names}


def _split_address(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _scheme_of(address: str) -> str:
    return address.partition(":")[0].lower()


def _has_password(address: str) -> bool:
    parts = _split_address(address)
    return parts is not None and bool(
        parts.password or any(parse_qs(parts.query).get("password", ()))
    )


_PRODUCTION: tuple[Callable[[Settings], list[str]], ...] = (
    _about_live_apps,
    _about_secrets,
    _about_live_addresses,
    _about_stores,
)
