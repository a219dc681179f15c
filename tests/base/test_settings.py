"""Settings: layers, all complaints at once, and what production refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from server.base import demo_secrets
from server.base.settings import Settings, SettingsError
from server.base.settings_reader import load_settings
from server.emulator import apps as emulated
from tests.kit.paths import ROOT
from tests.kit.settings import GOOD_KEY, production


def test_the_demo_makes_its_own_secrets_once(tmp_path: Path) -> None:
    first = load_settings({"KEPU_VAR": str(tmp_path), "KEPU_EMULATOR_PORT": "9123"})
    second = load_settings({"KEPU_VAR": str(tmp_path)})
    assert first.wechat.official_account == second.wechat.official_account
    assert first.wechat.api_base == "http://127.0.0.1:9123/api"
    assert first.security.master_key == second.security.master_key
    assert (tmp_path / "demo-wechat.json").stat().st_mode & 0o077 == 0
    assert first.database_address == f"sqlite:///{tmp_path / 'kepu.sqlite3'}"


def test_the_environment_wins_over_a_chosen_file_and_that_over_the_defaults(tmp_path: Path) -> None:
    chosen = tmp_path / "chosen.toml"
    chosen.write_text(
        'port = 9000\npolicy_version = "x"\n[limits]\nlogin_per_minute = 3\n', "utf-8"
    )
    given = {"KEPU_CONFIG": str(chosen), "KEPU_VAR": str(tmp_path), "KEPU_PORT": "9001"}
    settings = load_settings(given)
    assert (settings.port, settings.policy_version, settings.limits.login_per_minute) == (
        9001,
        "x",
        3.0,
    )


def test_a_file_of_settings_that_is_not_there_is_told_as_it_was_named() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"KEPU_CONFIG": "/nope/here"})
    assert str(refused.value) == (
        "settings refused: KEPU_CONFIG: /nope/here: No such file or directory"
    )


def test_a_complaint_names_the_setting_as_files_and_as_the_environment_do() -> None:
    given = {"KEPU_PORT": "many", "KEPU_LIMITS__LOGIN_PER_MINUTE": "nan", "KEPU_POORT": "1"}
    with pytest.raises(SettingsError) as refused:
        load_settings(given)
    told = str(refused.value)
    assert "port: int expected (KEPU_PORT)" in told
    assert "expected (KEPU_LIMITS__LOGIN_PER_MINUTE)" in told
    assert "poort: unknown setting; did you mean port? (KEPU_POORT)" in told


def test_good_production_settings_start(tmp_path: Path) -> None:
    # What the upload of the mini-program is told may stand in the same environment.
    settings = load_settings(production(tmp_path, KEPU_UPLOAD_APPID="wx0123456789abcdef"))
    assert not settings.emulated
    assert settings.database_address.startswith("postgresql+psycopg://")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("KEPU_WECHAT__OFFICIAL_ACCOUNT__MODE", "plain", "safe mode only"),
        ("KEPU_WECHAT__MINI_PROGRAM__MODE", "compatible", "safe mode only"),
        ("KEPU_WECHAT__OFFICIAL_ACCOUNT__TOKEN", "abc", "at least 16"),
        ("KEPU_WECHAT__OFFICIAL_ACCOUNT__TOKEN", "", "3 to 32 letters"),
        ("KEPU_WECHAT__OFFICIAL_ACCOUNT__AES_KEY", "short", "exactly 43"),
        ("KEPU_WECHAT__MINI_PROGRAM__SECRET", "", "missing"),
        ("KEPU_WECHAT__MINI_PROGRAM__SECRET", "change-me-please-change-me", "placeholder"),
        ("KEPU_SECURITY__MASTER_KEY", "short", "at least 32"),
        ("KEPU_SECURITY__MASTER_KEY", "a" * 40, "placeholder"),
        ("KEPU_SECURITY__MASTER_KEY", "demo-" + "q7w8e9r0t1y2u3i4o5p6" * 2, "demo or placeholder"),
        ("KEPU_PUBLIC_URL", "http://kepu.example.org", "public_url: https"),
        ("KEPU_PUBLIC_URL", "", "public_url: https"),
        ("KEPU_ALLOWED_HOSTS", "web-1, https://b", "allowed_hosts: host names"),
        ("KEPU_ALLOWED_HOSTS", "web-1:8000", "allowed_hosts: host names"),
        ("KEPU_WECHAT__API_BASE", "http://api.weixin.qq.com", "api_base: no address of WeChat"),
        ("KEPU_WECHAT__API_BASE", "https://api.example.org", "api_base: no address of WeChat"),
        ("KEPU_WECHAT__API_BASE", "https://api.weixin.qq.com.example.org", "no address of WeChat"),
        ("KEPU_WECHAT__API_BASE", "https://x@api.weixin.qq.com", "no address of WeChat"),
        ("KEPU_WECHAT__API_BASE", "https://api.weixin.qq.com:8443", "no address of WeChat"),
        ("KEPU_WECHAT__API_BASE", "http://127.0.0.1:8001/api", "no address of WeChat"),
        ("KEPU_WECHAT__OPEN_BASE", "https://open.example.org", "open_base: no address of WeChat"),
        ("KEPU_WECHAT__MP_BASE", "https://mp.example.org", "mp_base: no address of WeChat"),
        ("KEPU_WECHAT__OLD_PHONE_URL", "http://kepu.example.org", "old_phone_url: https"),
        ("KEPU_WECHAT__OFFICIAL_ACCOUNT__ORIGINAL_ID", "", "official_account.original_id"),
        ("KEPU_WECHAT__MINI_PROGRAM__ORIGINAL_ID", "", "mini_program.original_id"),
        ("KEPU_WECHAT__MINI_PROGRAM__APPID", "wx0123456789abcdea", "the same as"),
        ("KEPU_WECHAT__MINI_PROGRAM__APPID", "0123", "appid: wx and 16"),
        ("KEPU_DATABASE_URL", "", "database_url: missing"),
        ("KEPU_DATABASE_URL", "sqlite:////srv/kepu.sqlite3", "database_url: SQLite"),
        ("KEPU_REDIS_URL", "embedded:", "redis_url: embedded:"),
        ("KEPU_REDIS_URL", "fake:x", "redis_url: fake:"),
        ("KEPU_REDIS_URL", "redis://kv/0", "redis_url: a Redis on another machine"),
        (
            "KEPU_REDIS_URL",
            "rediss://user@10.0.0.7:6379/0",
            "redis_url: a Redis on another machine",
        ),
        ("KEPU_OPERATOR__NAME", "", "operator.name: missing"),
        ("KEPU_OPERATOR__COMPLAINTS", " ", "operator.complaints: missing"),
        ("KEPU_OPERATOR__EMAIL", "contact@kepu.example.org", "operator.email: the demo's words"),
        ("KEPU_POLICY_DATE", "", "policy_date: missing"),
        ("KEPU_VAR", "/no/such/folder", "var: /no/such/folder is no folder"),
    ],
)
def test_production_refuses(tmp_path: Path, name: str, value: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        load_settings(production(tmp_path, **{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEPU_REDIS_URL", "redis://127.0.0.1:6379/0"),
        ("KEPU_REDIS_URL", "redis://localhost/0"),
        ("KEPU_REDIS_URL", "unix:///run/redis.sock"),
        ("KEPU_REDIS_URL", "rediss://user:word@kv/0"),
        ("KEPU_REDIS_URL", "redis://kv/0?password=word"),
        ("KEPU_WECHAT__API_BASE", "https://sh.api.weixin.qq.com"),
    ],
)
def test_production_takes(tmp_path: Path, name: str, value: str) -> None:
    assert load_settings(production(tmp_path, **{name: value}))


@pytest.mark.parametrize(
    ("allowance", "name", "value"),
    [
        ("SQLITE", "KEPU_DATABASE_URL", "sqlite:////srv/kepu.sqlite3"),
        ("EMBEDDED_REDIS", "KEPU_REDIS_URL", "embedded:"),
        ("EMBEDDED_REDIS", "KEPU_REDIS_URL", "fake:x"),
        ("OTHER_WECHAT", "KEPU_WECHAT__API_BASE", "https://wechat.example.org/api"),
        ("OTHER_WECHAT", "KEPU_WECHAT__API_BASE", "http://127.0.0.1:8001/api"),
    ],
)
def test_production_takes_what_is_allowed_by_name(
    tmp_path: Path, allowance: str, name: str, value: str
) -> None:
    given = production(tmp_path, **{name: value})
    for word in ("no", "yes"):
        given[f"KEPU_ALLOW__{allowance}"] = word
        if word == "yes":
            assert load_settings(given)
        else:
            with pytest.raises(SettingsError, match=allowance.lower()):
                load_settings(given)


def secrets_of_demos(folder: Path) -> dict[str, str]:
    """The secrets that the server's start and the emulator's start make, by the setting."""
    wechat = demo_secrets.demo_layer(folder / "server", 8001)
    made = {"KEPU_SECURITY__MASTER_KEY": str(wechat["security"]["master_key"])}
    for name, app in (
        ("OFFICIAL_ACCOUNT", wechat["wechat"]["official_account"]),
        ("MINI_PROGRAM", emulated.new_apps()["mini_program"]),
    ):
        for part in ("secret", "token", "aes_key"):
            made[f"KEPU_WECHAT__{name}__{part.upper()}"] = app[part]
    return made


def test_production_refuses_secrets_of_any_demo_wherever_they_were_made(tmp_path: Path) -> None:
    elsewhere, here = tmp_path / "elsewhere", tmp_path / "here"
    here.mkdir()
    for name, value in secrets_of_demos(elsewhere).items():
        with pytest.raises(SettingsError, match=r"demo or placeholder") as told:
            load_settings(production(here, **{name: value}))
        assert name.removeprefix("KEPU_").replace("__", ".").lower() in str(told.value)
        assert value not in str(told.value)


def test_production_refuses_the_unmarked_secrets_of_an_older_demo(tmp_path: Path) -> None:
    old = {"official_account": {"secret": "9f8e7d6c5b4a39281706f5e4d3c2b1a0"}}
    (tmp_path / "demo-wechat.json").write_text(json.dumps(old), "utf-8")
    given = production(
        tmp_path, KEPU_WECHAT__MINI_PROGRAM__SECRET=old["official_account"]["secret"]
    )
    with pytest.raises(SettingsError, match=r"mini_program\.secret: a demo"):
        load_settings(given)


NUMBERS = [
    name
    for name in (ROOT / "config" / "default.toml").read_text("utf-8").split()
    if name.endswith(("_per_minute", "_per_hour"))
]


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "-inf", "1e300"])
def test_a_limit_that_limits_nothing_or_everything_is_refused(tmp_path: Path, value: str) -> None:
    assert len(NUMBERS) >= 6
    given = {f"KEPU_LIMITS__{name.upper()}": value for name in NUMBERS}
    with pytest.raises(SettingsError) as told:
        load_settings({"KEPU_VAR": str(tmp_path), **given})
    for name in NUMBERS:
        assert f"limits.{name}: between" in str(told.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEPU_WECHAT__CALLBACK_WINDOW_SECONDS", "63072000"),
        ("KEPU_WECHAT__CALLBACK_WINDOW_SECONDS", "0"),
        ("KEPU_WECHAT__CALLBACK_ANSWER_SECONDS", "5"),
        ("KEPU_WECHAT__REQUEST_TIMEOUT_SECONDS", "nan"),
        ("KEPU_PORT", "0"),
        ("KEPU_PORT", "70000"),
        ("KEPU_EMULATOR_PORT", "-1"),
        ("KEPU_TRUSTED_PROXIES", "-1"),
        ("KEPU_DATABASE__POOL_SIZE", "0"),
        ("KEPU_SECURITY__TOKEN_DAYS", "36500"),
        ("KEPU_REDIS_TIMEOUT_SECONDS", "inf"),
    ],
)
def test_a_number_out_of_bounds_is_refused_in_the_demo_too(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(SettingsError, match="between"):
        load_settings({"KEPU_VAR": str(tmp_path), name: value})


def written(path: Path, given: Mapping[str, str], mode: int) -> str:
    lines = [
        f'{key.removeprefix("KEPU_").replace("__", ".").lower()} = "{value}"'
        for key, value in given.items()
    ]
    path.write_text("\n".join(lines), "utf-8")
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize(("mode", "refused"), [(0o600, False), (0o640, False), (0o644, True)])
def test_secrets_in_a_file_that_others_can_read_are_refused(
    tmp_path: Path, mode: int, refused: bool
) -> None:
    file = written(tmp_path / "kepu.toml", production(tmp_path), mode)
    if refused:
        with pytest.raises(SettingsError, match=r"kepu\.toml: holds database_url"):
            load_settings({"KEPU_CONFIG": file})
    else:
        assert load_settings({"KEPU_CONFIG": file})


def test_a_file_without_secrets_may_be_read_by_everybody(tmp_path: Path) -> None:
    file = written(tmp_path / "kepu.toml", {"KEPU_LOG_LEVEL": "DEBUG"}, 0o644)
    assert load_settings(production(tmp_path, KEPU_CONFIG=file)).log_level == "DEBUG"


def test_all_complaints_come_at_once_and_no_secret_is_in_them(tmp_path: Path) -> None:
    given = production(
        tmp_path,
        KEPU_PUBLIC_URL="http://x.example",
        KEPU_WECHAT__MINI_PROGRAM__MODE="plain",
        KEPU_PORT="99999",
        KEPU_LIMITS__LOGIN_PER_MINUTE="nan",
    )
    with pytest.raises(SettingsError) as told:
        load_settings(given)
    for complaint in (
        "public_url",
        "mini_program.mode",
        "port: between",
        "limits.login_per_minute",
    ):
        assert complaint in str(told.value)
    assert given["KEPU_SECURITY__MASTER_KEY"] not in str(told.value)


def test_secrets_are_not_in_the_representation(tmp_path: Path) -> None:
    settings = load_settings(production(tmp_path))
    for secret in (settings.security.master_key, settings.wechat.mini_program.secret, GOOD_KEY):
        assert secret not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("KEPU_PORT", "many", "port: int expected"),
        ("KEPU_PROT", "8000", "prot: unknown setting; did you mean port?"),
        ("KEPU_LOG_LEVEL", "LOUD", "log_level: one of"),
        ("KEPU_ENVIRONMENT", "prod", "environment: demo, test or production"),
        ("KEPU_DATABASE_URL", "mysql://x/y", "database_url: sqlite:///file or postgresql://"),
        ("KEPU_REDIS_URL", "6379", "redis_url: embedded:, redis://"),
        ("KEPU_PUBLIC_URL", "kepu", "public_url: an address like"),
        ("KEPU_POLICY_DATE", "soon", "policy_date: a day like"),
        ("KEPU_WECHAT", "emulated", "wechat: a table is expected"),
        ("KEPU_EMULATOR_PORT", "8000", "emulator_port: another than"),
        ("KEPU_CONFIG", "/no/such/file.toml", "file.toml"),
        ("KEPU_VAR", "/dev/null", "var: /dev/null holds no usable data"),
    ],
)
def test_a_wrong_value_is_one_line_of_the_plain_python(
    tmp_path: Path, name: str, value: str, complaint: str
) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("KEPU_")}
    done = subprocess.run(
        # -S: without what is installed beside it, as before the first installation.
        [sys.executable, "-S", "-m", "server.base.settings_reader"], cwd=ROOT,
        env={**kept, "KEPU_VAR": str(tmp_path / "var"), name: value},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert complaint in line
    assert not (tmp_path / "var").exists()


def test_sections_without_a_table_are_complained_about_whatever_their_order() -> None:
    with pytest.raises(SettingsError, match="KEPU_WECHAT__API_BASE: wechat is no table"):
        load_settings({"KEPU_WECHAT": "x", "KEPU_WECHAT__API_BASE": "https://x"})


def test_the_operator_of_the_demo_is_whole(tmp_path: Path) -> None:
    demo: Settings = load_settings({"KEPU_VAR": str(tmp_path)})
    assert all(vars(demo.operator).values())
    assert demo.policy_day


@pytest.mark.parametrize(
    ("public", "own"),
    [
        ("https://kepu.example.org/", "https://kepu.example.org"),
        ("", "http://127.0.0.1:8123"),
    ],
)
def test_the_own_address_is_the_public_one_or_this_computer(public: str, own: str) -> None:
    assert Settings(environment="demo", public_url=public, port=8123).own_address == own
