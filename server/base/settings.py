"""All settings, read once at the start: default.toml < chosen file < demo files < environment.

Invalid settings stop the start, with every complaint in one message. No module reads settings at
import. Uses only the standard library, so that settings can be checked before installation.
"""

from __future__ import annotations

import difflib
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, cast, get_type_hints

from server.base.demo_secrets import demo_layer
from server.base.settings_check import (
    complaints_about_apps,
    complaints_about_forms,
    complaints_about_production,
    exposed_secrets,
)

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "KEPU_"
DEMO_FILE = ROOT / "config" / "demo.toml"
_N = TypeVar("_N", int, float)


class SettingsError(Exception):
    """The settings are invalid; the message lists every complaint."""


def number(default: _N, least: _N, most: _N) -> _N:
    """A number with bounds; values outside of them are refused, nan and inf included."""
    declared: _N = field(default=default, metadata={"bounds": (least, most)})
    return declared


@dataclass(frozen=True, kw_only=True)
class WeChatApp:
    """One of the two WeChat apps: the official account or the mini-program."""

    appid: str = ""
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    aes_key: str = field(default="", repr=False)
    mode: str = "safe"
    original_id: str = ""


@dataclass(frozen=True, kw_only=True)
class WeChat:
    """WeChat's addresses, timeouts, and the two apps."""

    api_base: str = "https://api.weixin.qq.com"
    open_base: str = "https://open.weixin.qq.com"
    mp_base: str = "https://mp.weixin.qq.com"
    old_phone_url: str = "https://mp.weixin.qq.com"
    connect_timeout_seconds: float = number(2.0, 0.1, 30.0)
    request_timeout_seconds: float = number(4.0, 0.1, 4.5)
    worker_timeout_seconds: float = number(10.0, 0.1, 120.0)
    calls_at_once: int = number(8, 1, 64)
    callback_window_seconds: int = number(600, 60, 3600)
    callback_answer_seconds: float = number(4.0, 0.1, 4.5)
    official_account: WeChatApp = field(default_factory=WeChatApp)
    mini_program: WeChatApp = field(default_factory=WeChatApp)


@dataclass(frozen=True, kw_only=True)
class Database:
    """Pool size and timeouts of the database; its address is `database_url`."""

    pool_size: int = number(8, 1, 200)
    request_seconds: float = number(1.8, 0.1, 10.0)
    job_lock_seconds: float = number(5.0, 0.1, 60.0)
    job_statement_seconds: float = number(30.0, 1.0, 600.0)
    command_lock_seconds: float = number(10.0, 0.1, 600.0)
    command_statement_seconds: float = number(600.0, 1.0, 86400.0)
    migration_lock_seconds: float = number(5.0, 0.1, 600.0)
    migration_statement_seconds: float = number(3600.0, 1.0, 86400.0)


@dataclass(frozen=True, kw_only=True)
class Security:
    """The master key."""

    master_key: str = field(default="", repr=False)
    token_days: int = number(30, 1, 365)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Rate limits per citizen, also after erasure; a burst of half the figure is allowed."""

    login_per_minute: float = number(10.0, 1.0, 1000000.0)
    quiz_start_per_minute: float = number(6.0, 1.0, 1000000.0)
    answer_per_minute: float = number(120.0, 1.0, 1000000.0)
    own_words_per_hour: float = number(10.0, 1.0, 1000000.0)
    export_per_hour: float = number(10.0, 1.0, 1000000.0)
    change_per_minute: float = number(120.0, 1.0, 1000000.0)
    repeat_per_minute: float = number(180.0, 1.0, 1000000.0)
    practice_per_minute: float = number(120.0, 1.0, 1000000.0)
    share_per_minute: float = number(120.0, 1.0, 1000000.0)
    visit_per_minute: float = number(120.0, 1.0, 1000000.0)
    failures_per_minute: float = number(300.0, 1.0, 1000000.0)


@dataclass(frozen=True, kw_only=True)
class Operator:
    """The operator of the service, shown in the privacy policy and on the contact page."""

    name: str = ""
    address: str = ""
    phone: str = ""
    email: str = ""
    complaints: str = ""
    privacy_contact: str = ""


@dataclass(frozen=True, kw_only=True)
class Allow:
    """Exceptions from production checks, for trials on one machine."""

    sqlite: bool = False
    embedded_redis: bool = False
    other_wechat: bool = False


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings."""

    environment: str = "demo"
    database_url: str = ""
    redis_url: str = "embedded:"
    public_url: str = ""
    var: Path = Path("var")
    port: int = number(8000, 1, 65535)
    emulator_port: int = number(8001, 1, 65535)
    log_level: str = "INFO"
    log_console: bool = True
    policy_version: str = "2026-1"
    policy_date: str = ""
    trusted_proxies: int = number(0, 0, 10)
    drain_seconds: float = number(5.0, 0.0, 600.0)
    redis_timeout_seconds: float = number(0.2, 0.01, 5.0)
    wechat: WeChat = field(default_factory=WeChat)
    database: Database = field(default_factory=Database)
    security: Security = field(default_factory=Security)
    limits: Limits = field(default_factory=Limits)
    operator: Operator = field(default_factory=Operator)
    allow: Allow = field(default_factory=Allow)

    @property
    def emulated(self) -> bool:
        """Whether this is the demo or a test, with an emulated WeChat."""
        return self.environment in ("demo", "test")

    @property
    def policy_day(self) -> date | None:
        """The day the privacy policy took effect; None when not set."""
        return date.fromisoformat(self.policy_date) if self.policy_date else None

    @property
    def database_address(self) -> str:
        """The SQLAlchemy URL: the given one, or SQLite under `var`."""
        url = self.database_url or f"sqlite:///{self.var.resolve() / 'kepu.sqlite3'}"
        return url.replace("postgresql://", "postgresql+psycopg://", 1)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Load the settings of this process; the demo's secrets are created at the first start.

    Raises: SettingsError with every complaint.
    """
    settings, complaints = read_settings(environ)
    if len(complaints) == 1:
        raise SettingsError(f"settings refused: {complaints[0]}")
    if complaints:
        raise SettingsError("settings refused:\n" + "\n".join(f"- {line}" for line in complaints))
    return settings


def read_settings(environ: Mapping[str, str] | None = None) -> tuple[Settings, list[str]]:
    """Read the settings and every complaint about them; an unreadable value keeps its default.

    In the demo, files are only created when there is no complaint.
    """
    given = dict(os.environ if environ is None else environ)
    complaints: list[str] = []
    files = [ROOT / "config" / "default.toml"]
    chosen = given.get("KEPU_CONFIG")
    if chosen:
        files.append(Path(chosen))
    layers = {path: _toml(path, complaints) for path in files}
    values: dict[str, Any] = {}
    for layer in layers.values():
        _merge(values, layer)
    from_environment = _from_environment(given, complaints)
    settings: Settings = _build(Settings, _over(values, from_environment), "", complaints)
    complaints += complaints_about_forms(settings)
    if settings.environment == "production":
        complaints += complaints_about_production(settings, _operator_of_the_demo())
        complaints += exposed_secrets(layers)
    elif settings.emulated and not complaints:
        _merge(values, _toml(DEMO_FILE, complaints))
        _add_demo_secrets(values, settings, complaints)
        settings = _build(Settings, _over(values, from_environment), "", [])
    if settings.environment == "production" or not complaints:
        complaints += complaints_about_apps(settings)
    return settings, complaints


def _add_demo_secrets(values: dict[str, Any], settings: Settings, complaints: list[str]) -> None:
    try:
        _merge(values, demo_layer(settings.var, settings.emulator_port))
    except (OSError, ValueError, KeyError) as trouble:
        complaints.append(f"var: {settings.var} holds no usable data of a demo: {trouble}")


def _operator_of_the_demo() -> frozenset[str]:
    facts = _toml(DEMO_FILE, []).get("operator", {})
    return frozenset(str(value) for value in facts.values())


def _toml(path: Path, complaints: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as trouble:
        complaints.append(f"{path.name}: {trouble}")
        return {}


def _from_environment(given: Mapping[str, str], complaints: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in sorted(given.items()):
        if not name.startswith(PREFIX) or name.startswith(OUTSIDE):
            continue
        *sections, key = name.removeprefix(PREFIX).lower().split("__")
        level = values
        for section in sections:
            below = level.setdefault(section, {})
            if not isinstance(below, dict):
                complaints.append(f"{name}: {section} is no table")
                break
            level = below
        else:
            level[key] = text
    return values


# KEPU_ names for other programs or for the start itself.
OUTSIDE = ("KEPU_CONFIG", "KEPU_PROVE", "KEPU_UPLOAD_")


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    _merge(merged, below)
    _merge(merged, above)
    return merged


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, Mapping):
            kept = below.get(key)
            below[key] = _over(kept if isinstance(kept, dict) else {}, value)
        else:
            below[key] = value


def _build(kind: type, values: Mapping[str, Any], path: str, complaints: list[str]) -> Any:
    hints = get_type_hints(kind)
    known = {item.name: item for item in fields(kind)}
    made: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            complaints.append(f"{path}{key}: unknown setting{_suggestion(key, known)}")
        elif is_dataclass(hints[key]):
            if isinstance(value, Mapping):
                made[key] = _build(cast(type, hints[key]), value, f"{path}{key}.", complaints)
            else:
                complaints.append(f"{path}{key}: a table is expected")
        else:
            _take(made, known[key], hints[key], value, f"{path}{key}", complaints)
    missing = [n for n, f in known.items() if f.default is f.default_factory is MISSING]
    complaints += [f"{path}{name}: missing" for name in missing if name not in made]
    return kind(**made)


def _suggestion(key: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def _take(
    made: dict[str, Any], item: Field[Any], kind: Any, value: Any, path: str, complaints: list[str]
) -> None:
    try:
        converted = _convert(kind, value)
    except (TypeError, ValueError):
        complaints.append(f"{path}: {kind.__name__} expected")
        return
    least, most = item.metadata.get("bounds", (None, None))
    # Written as `not (a <= x <= b)` so that nan is refused.
    if least is not None and not least <= converted <= most:
        complaints.append(f"{path}: between {least:g} and {most:g} expected")
        return
    made[item.name] = converted


def _convert(kind: Any, value: Any) -> Any:
    if kind is bool:
        return _boolean(value)
    if kind is Path:
        return Path(str(value)).expanduser()
    if isinstance(value, bool | list | Mapping) or (kind is int and isinstance(value, float)):
        raise ValueError
    return kind(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("1", "true", "yes", "on"):
        return True
    if str(value).lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError


if __name__ == "__main__":
    try:
        load_settings()
    except SettingsError as refusal:
        sys.exit(str(refusal))
