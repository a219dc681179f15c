"""Settings: layers, all complaints at once, and what production refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.base.settings import SettingsError, load_settings

GOOD_TOKEN = "aB3dE6gH9jK2mN5p"
GOOD_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


def production(tmp_path: Path, **changed: str) -> dict[str, str]:
    given = {
        "KEPU_ENVIRONMENT": "production",
        "KEPU_VAR": str(tmp_path),
        "KEPU_DATABASE_URL": "postgresql://kepu:x@db/kepu",
        "KEPU_REDIS_URL": "redis://kv/0",
        "KEPU_PUBLIC_URL": "https://kepu.example.org",
        "KEPU_SECURITY__MASTER_KEY": "q7w8e9r0t1y2u3i4o5p6a7s8d9f0g1h2j3k4",
    }
    for app in ("OFFICIAL_ACCOUNT", "MINI_PROGRAM"):
        given[f"KEPU_WECHAT__{app}__APPID"] = "wx0123456789abcdef"
        given[f"KEPU_WECHAT__{app}__SECRET"] = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
        given[f"KEPU_WECHAT__{app}__TOKEN"] = GOOD_TOKEN
        given[f"KEPU_WECHAT__{app}__AES_KEY"] = GOOD_KEY
    return {**given, **changed}


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
        ("KEPU_PUBLIC_URL", "http://kepu.example.org", "https"),
        ("KEPU_WECHAT__API_BASE", "http://api.example.org", "https"),
        ("KEPU_DATABASE_URL", "", "database_url"),
        ("KEPU_NO_SUCH_THING", "1", "unknown setting"),
        ("KEPU_PORT", "many", "int expected"),
    ],
)
def test_production_refuses(tmp_path: Path, name: str, value: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        load_settings(production(tmp_path, **{name: value}))


def test_production_refuses_the_demo_s_secrets(tmp_path: Path) -> None:
    demo = load_settings({"KEPU_VAR": str(tmp_path)})
    given = production(tmp_path, KEPU_WECHAT__MINI_PROGRAM__SECRET=demo.wechat.mini_program.secret)
    with pytest.raises(SettingsError, match="demo or placeholder"):
        load_settings(given)


def test_all_complaints_come_at_once_and_no_secret_is_in_them(tmp_path: Path) -> None:
    given = production(
        tmp_path, KEPU_PUBLIC_URL="http://x.example", KEPU_WECHAT__MINI_PROGRAM__MODE="plain"
    )
    with pytest.raises(SettingsError) as told:
        load_settings(given)
    assert "public_url" in str(told.value)
    assert "mini_program.mode" in str(told.value)
    assert given["KEPU_SECURITY__MASTER_KEY"] not in str(told.value)


def test_secrets_are_not_in_the_representation(tmp_path: Path) -> None:
    settings = load_settings(production(tmp_path))
    for secret in (settings.security.master_key, settings.wechat.mini_program.secret, GOOD_KEY):
        assert secret not in repr(settings)
