"""Settings of a production that may start."""

from __future__ import annotations

from pathlib import Path

GOOD_TOKEN = "aB3dE6gH9jK2mN5p"
GOOD_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


def production(tmp_path: Path, **changed: str) -> dict[str, str]:
    given = {
        "KEPU_ENVIRONMENT": "production",
        "KEPU_VAR": str(tmp_path),
        "KEPU_DATABASE_URL": "postgresql://kepu:x@db/kepu",
        "KEPU_REDIS_URL": "redis://:word@kv/0",
        "KEPU_POLICY_DATE": "2026-03-01",
        "KEPU_OPERATOR__NAME": "某某科学技术协会",
        "KEPU_OPERATOR__ADDRESS": "南宁市某路2号",
        "KEPU_OPERATOR__PHONE": "0771-1234567",
        "KEPU_OPERATOR__EMAIL": "kepu@kepu.example.org",
        "KEPU_OPERATOR__COMPLAINTS": "0771-1234568",
        "KEPU_OPERATOR__PRIVACY_CONTACT": "个人信息保护负责人 0771-1234569",
        "KEPU_PUBLIC_URL": "https://kepu.example.org",
        "KEPU_SECURITY__MASTER_KEY": "q7w8e9r0t1y2u3i4o5p6a7s8d9f0g1h2j3k4",
    }
    for app, letter in (("OFFICIAL_ACCOUNT", "a"), ("MINI_PROGRAM", "b")):
        given[f"KEPU_WECHAT__{app}__APPID"] = "wx0123456789abcde" + letter
        given[f"KEPU_WECHAT__{app}__ORIGINAL_ID"] = "gh_0123456789a" + letter
        given[f"KEPU_WECHAT__{app}__SECRET"] = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
        given[f"KEPU_WECHAT__{app}__TOKEN"] = GOOD_TOKEN
        given[f"KEPU_WECHAT__{app}__AES_KEY"] = GOOD_KEY
    return {**given, **changed}
