"""All settings, read once at the start: default.toml < chosen file < demo files < environment.

Wrong settings refuse to start with every complaint in one message. No module reads them at import.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints

from server.base.demo_secrets import demo_layer
from server.base.settings_check import complaints_about

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "KEPU_"
DEMO_FILE = ROOT / "config" / "demo.toml"


class SettingsError(Exception):
    """The settings cannot be used; the message lists every complaint."""


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
    """Where WeChat is, how long to wait for it, and the two apps."""

    api_base: str = "https://api.weixin.qq.com"
    open_base: str = "https://open.weixin.qq.com"
    mp_base: str = "https://mp.weixin.qq.com"
    old_phone_url: str = "https://mp.weixin.qq.com"
    connect_timeout_seconds: float = 2.0
    request_timeout_seconds: float = 4.0
    worker_timeout_seconds: float = 10.0
    calls_at_once: int = 8
    callback_window_seconds: int = 600
    callback_answer_seconds: float = 4.0
    official_account: WeChatApp = field(default_factory=WeChatApp)
    mini_program: WeChatApp = field(default_factory=WeChatApp)


@dataclass(frozen=True, kw_only=True)
class Database:
    """Pool and patience; the address itself is `database_url`."""

    pool_size: int = 8
    pool_wait_seconds: float = 2.0
    lock_wait_seconds: float = 4.0
    statement_seconds: float = 10.0


@dataclass(frozen=True, kw_only=True)
class Security:
    """The key that all other keys are derived from."""

    master_key: str = field(default="", repr=False)
    token_days: int = 30


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Calls per minute for one citizen; a burst of half the figure is let through at once."""

    login_per_minute: float = 10.0
    quiz_start_per_minute: float = 6.0
    answer_per_minute: float = 120.0
    own_words_per_hour: float = 10.0
    export_per_hour: float = 10.0
    failures_per_minute: float = 300.0


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Who answers for the service: the facts that the privacy policy and the contact page name."""

    name: str = ""
    address: str = ""
    phone: str = ""
    email: str = ""
    complaints: str = ""
    privacy_contact: str = ""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything the house is told from outside."""

    environment: str = "demo"
    database_url: str = ""
    redis_url: str = "embedded:"
    public_url: str = ""
    var: Path = Path("var")
    port: int = 8000
    emulator_port: int = 8001
    log_level: str = "INFO"
    policy_version: str = "2026-1"
    policy_date: str = ""
    trusted_proxies: int = 0
    redis_timeout_seconds: float = 0.2
    wechat: WeChat = field(default_factory=WeChat)
    database: Database = field(default_factory=Database)
    security: Security = field(default_factory=Security)
    limits: Limits = field(default_factory=Limits)
    operator: Operator = field(default_factory=Operator)

    @property
    def emulated(self) -> bool:
        """Whether this is the demo or a test, with an emulated WeChat."""
        return self.environment in ("demo", "test")

    @property
    def policy_day(self) -> date | None:
        """The day from which the privacy policy is in force; None where none is given."""
        return date.fromisoformat(self.policy_date) if self.policy_date else None

    @property
    def database_address(self) -> str:
        """The SQLAlchemy address: the given one, or SQLite under `var`."""
        url = self.database_url or f"sqlite:///{self.var.resolve() / 'kepu.sqlite3'}"
        return url.replace("postgresql://", "postgresql+psycopg://", 1)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Raises: SettingsError with every complaint.
    """
    given = dict(os.environ if environ is None else environ)
    complaints: list[str] = []
    values = _toml(ROOT / "config" / "default.toml", complaints)
    chosen = given.get("KEPU_CONFIG")
    if chosen:
        _merge(values, _toml(Path(chosen), complaints))
    from_environment = _from_environment(given)
    environment = str(from_environment.get("environment", values.get("environment", "demo")))
    if environment in ("demo", "test"):
        var = Path(str(from_environment.get("var", values.get("var", "var"))))
        port = str(from_environment.get("emulator_port", values.get("emulator_port", 8001)))
        _merge(values, _toml(DEMO_FILE, complaints))
        _merge(values, demo_layer(var, port))
    _merge(values, from_environment)
    settings = _build(Settings, values, "", complaints)
    if isinstance(settings, Settings) and not complaints:
        complaints += complaints_about(settings)
    if complaints:
        raise SettingsError("settings refused:\n" + "\n".join(f"- {line}" for line in complaints))
    return settings  # type: ignore[no-any-return]  # _build is generic over dataclasses


def _toml(path: Path, complaints: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as trouble:
        complaints.append(f"{path.name}: {trouble}")
        return {}


def _from_environment(given: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in given.items():
        if not name.startswith(PREFIX) or name.startswith(OUTSIDE):
            continue
        *sections, key = name.removeprefix(PREFIX).lower().split("__")
        level = values
        for section in sections:
            level = level.setdefault(section, {})
        level[key] = text
    return values


# Names that begin with KEPU_ and are meant for other programs or for the start itself.
OUTSIDE = ("KEPU_CONFIG", "KEPU_PROVE", "KEPU_UPLOAD_")


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(below.get(key), dict):
            _merge(below[key], value)
        else:
            below[key] = dict(value) if isinstance(value, Mapping) else value


def _build(kind: type, values: Mapping[str, Any], path: str, complaints: list[str]) -> Any:
    hints = get_type_hints(kind)
    known = {item.name: item for item in fields(kind)}
    made: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            complaints.append(f"{path}{key}: unknown setting")
        elif is_dataclass(hints[key]):
            if isinstance(value, Mapping):
                nested = hints[key]
                assert isinstance(nested, type)  # noqa: S101 - narrows for the type checker
                made[key] = _build(nested, value, f"{path}{key}.", complaints)
            else:
                complaints.append(f"{path}{key}: a table is expected")
        else:
            made[key] = _convert(hints[key], value, f"{path}{key}", complaints)
    missing = [n for n, f in known.items() if f.default is f.default_factory is MISSING]
    complaints += [f"{path}{name}: missing" for name in missing if name not in made]
    return kind(**made) if not complaints else None


def _convert(kind: Any, value: Any, path: str, complaints: list[str]) -> Any:
    try:
        if kind is bool:
            return _boolean(value)
        if kind in (int, float):
            if isinstance(value, bool):
                raise ValueError
            return kind(value)
        return kind(value)
    except (TypeError, ValueError):
        complaints.append(f"{path}: {kind.__name__} expected")
        return None


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("1", "true", "yes", "on"):
        return True
    if str(value).lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError
