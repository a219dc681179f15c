"""All settings and their bounds; `settings_reader.py` reads them once, at the start.

No module reads settings at import. Uses only the standard library, so that settings can be checked
before installation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "KEPU_"
DEMO_FILE = ROOT / "config" / "demo.toml"
_N = TypeVar("_N", int, float)


class SettingsError(Exception):
    """The settings are invalid; the message lists every error."""


def bounded_number(default: _N, least: _N, most: _N) -> _N:
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
    connect_timeout_seconds: float = bounded_number(2.0, 0.1, 30.0)
    request_timeout_seconds: float = bounded_number(4.0, 0.1, 4.5)
    worker_timeout_seconds: float = bounded_number(10.0, 0.1, 120.0)
    calls_at_once: int = bounded_number(8, 1, 64)
    callback_window_seconds: int = bounded_number(600, 60, 3600)
    callback_answer_seconds: float = bounded_number(4.0, 0.1, 4.5)
    official_account: WeChatApp = field(default_factory=WeChatApp)
    mini_program: WeChatApp = field(default_factory=WeChatApp)


@dataclass(frozen=True, kw_only=True)
class Database:
    """Pool size and timeouts of the database; its address is `database_url`."""

    pool_size: int = bounded_number(8, 1, 200)
    request_seconds: float = bounded_number(1.8, 0.1, 10.0)
    job_lock_seconds: float = bounded_number(5.0, 0.1, 60.0)
    job_statement_seconds: float = bounded_number(30.0, 1.0, 600.0)
    command_lock_seconds: float = bounded_number(10.0, 0.1, 600.0)
    command_statement_seconds: float = bounded_number(600.0, 1.0, 86400.0)
    migration_lock_seconds: float = bounded_number(5.0, 0.1, 600.0)
    migration_statement_seconds: float = bounded_number(3600.0, 1.0, 86400.0)


@dataclass(frozen=True, kw_only=True)
class Security:
    """The master key."""

    master_key: str = field(default="", repr=False)
    token_days: int = bounded_number(30, 1, 365)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Rate limits per citizen, also after erasure; a burst of half the figure is allowed."""

    login_per_minute: float = bounded_number(10.0, 1.0, 1000000.0)
    quiz_start_per_minute: float = bounded_number(6.0, 1.0, 1000000.0)
    signup_per_minute: float = bounded_number(20.0, 1.0, 1000000.0)
    answer_per_minute: float = bounded_number(120.0, 1.0, 1000000.0)
    own_words_per_hour: float = bounded_number(10.0, 1.0, 1000000.0)
    export_per_hour: float = bounded_number(10.0, 1.0, 1000000.0)
    change_per_minute: float = bounded_number(120.0, 1.0, 1000000.0)
    repeat_per_minute: float = bounded_number(180.0, 1.0, 1000000.0)
    practice_per_minute: float = bounded_number(120.0, 1.0, 1000000.0)
    share_per_minute: float = bounded_number(120.0, 1.0, 1000000.0)
    visit_per_minute: float = bounded_number(120.0, 1.0, 1000000.0)
    failures_per_minute: float = bounded_number(300.0, 1.0, 1000000.0)
    wrong_codes_per_minute: float = bounded_number(30.0, 1.0, 1000000.0)
    scan_per_minute: float = bounded_number(3000.0, 1.0, 1000000.0)
    verify_misses_per_minute: float = bounded_number(30.0, 1.0, 1000000.0)


@dataclass(frozen=True, kw_only=True)
class SignUps:
    """Limits on one person's sign-ups for activities, and the pause after absences."""

    most_places: int = bounded_number(10, 1, 1000)
    absences_most: int = bounded_number(3, 0, 100)
    absences_days: int = bounded_number(90, 1, 1000)
    pause_days: int = bounded_number(7, 1, 1000)


@dataclass(frozen=True, kw_only=True)
class CheckIn:
    """Times of the check-in, counted from an activity's start or end."""

    opens_minutes: int = bounded_number(60, 0, 1440)
    absent_minutes: int = bounded_number(15, 0, 600)
    grant_hours: int = bounded_number(12, 1, 168)


@dataclass(frozen=True, kw_only=True)
class OutreachLimit:
    """Most messages that one person gets unasked, from all senders together."""

    per_day: int = bounded_number(1, 0, 100)
    per_week: int = bounded_number(3, 0, 700)


@dataclass(frozen=True, kw_only=True)
class Sending:
    """Sending of announcements: WeChat's daily quotas of the accounts, and the rates.

    `per_second` is the usual rate, for forecasts; a worker makes at most `most_per_second` calls,
    over `connections` at the same time.
    """

    per_second: float = bounded_number(200.0, 0.1, 10000.0)
    most_per_second: float = bounded_number(2000.0, 1.0, 100_000.0)
    connections: int = bounded_number(256, 1, 1024)
    mini_subscription_per_day: int = bounded_number(10_000_000, 0, 10**9)
    official_subscription_per_day: int = bounded_number(100_000, 0, 10**9)
    template_per_day: int = bounded_number(100_000, 0, 10**9)
    customer_message_per_day: int = bounded_number(500_000, 0, 10**9)
    mass_per_day: int = bounded_number(100, 0, 10**9)


@dataclass(frozen=True, kw_only=True)
class AnnouncementApprovals:
    """Approvals of announcements: how many recipients need two approvers.

    Up to `frozen_at_once` recipients are frozen in the transaction of the last approval, more of
    them in the background.
    """

    two_approvers_above: int = bounded_number(1000, 0, 100_000_000)
    frozen_at_once: int = bounded_number(20_000, 0, 1_000_000)


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
    allowed_hosts: str = ""
    var: Path = Path("var")
    port: int = bounded_number(8000, 1, 65535)
    emulator_port: int = bounded_number(8001, 1, 65535)
    demo_season: str = "full"
    log_level: str = "INFO"
    log_console: bool = True
    policy_version: str = "2026-5"
    policy_date: str = ""
    trusted_proxies: int = bounded_number(0, 0, 10)
    drain_seconds: float = bounded_number(5.0, 0.0, 600.0)
    redis_timeout_seconds: float = bounded_number(0.2, 0.01, 5.0)
    wechat: WeChat = field(default_factory=WeChat)
    database: Database = field(default_factory=Database)
    security: Security = field(default_factory=Security)
    limits: Limits = field(default_factory=Limits)
    signups: SignUps = field(default_factory=SignUps)
    checkin: CheckIn = field(default_factory=CheckIn)
    outreach: OutreachLimit = field(default_factory=OutreachLimit)
    sending: Sending = field(default_factory=Sending)
    announcements: AnnouncementApprovals = field(default_factory=AnnouncementApprovals)
    operator: Operator = field(default_factory=Operator)
    allow: Allow = field(default_factory=Allow)

    @property
    def emulated(self) -> bool:
        """Whether this is the demo or a test, with an emulated WeChat."""
        return self.environment in ("demo", "test")

    @property
    def own_address(self) -> str:
        """The address at which this server is reached, without a slash at its end.

        Without a public one: this computer, where the demo runs.
        """
        return self.public_url.rstrip("/") or f"http://127.0.0.1:{self.port}"

    @property
    def policy_day(self) -> date | None:
        """The day the privacy policy took effect; None when not set."""
        return date.fromisoformat(self.policy_date) if self.policy_date else None

    @property
    def database_address(self) -> str:
        """The SQLAlchemy URL: the given one, or SQLite under `var`."""
        url = self.database_url or f"sqlite:///{self.var.resolve() / 'kepu.sqlite3'}"
        return url.replace("postgresql://", "postgresql+psycopg://", 1)
