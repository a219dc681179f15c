"""The demo's own secrets: created at the first start, stored in $KEPU_VAR, never used elsewhere.

`demo-wechat.json` is shared with the emulated WeChat; whichever starts first creates it. Every
secret begins with `demo`, so that production recognises a copied one.
"""

from __future__ import annotations

import fcntl
import json
import secrets
import string
from pathlib import Path
from typing import Any

WECHAT_FILE = "demo-wechat.json"
KEYS_FILE = "demo-keys.json"
_MARK = "demo"
# Where `make run` keeps the demo's files by default.
_USUAL = Path(__file__).resolve().parents[2] / "var"
_ALNUM = string.ascii_letters + string.digits


def demo_layer(var: Path, emulator_port: int) -> dict[str, Any]:
    """The settings from the demo's files; creates missing files."""
    apps = _made_once(var / WECHAT_FILE, _new_apps)
    keys = _made_once(
        var / KEYS_FILE, lambda: {"master_key": f"{_MARK}-{secrets.token_urlsafe(48)}"}
    )
    known = ("appid", "secret", "token", "aes_key", "mode", "original_id")
    base = f"http://127.0.0.1:{emulator_port}"
    return {
        "wechat": {
            "api_base": f"{base}/api",
            "open_base": f"{base}/open",
            "mp_base": f"{base}/mpweb",
            "official_account": {k: v for k, v in apps["official_account"].items() if k in known},
            "mini_program": {k: v for k, v in apps["mini_program"].items() if k in known},
        },
        "security": {"master_key": keys["master_key"]},
    }


def known_demo_secrets(var: Path) -> set[str]:
    """The secrets of demos in this folder and in the default one.

    Needed because secrets of older demos do not begin with `demo`.
    """
    found: set[str] = set()
    for folder in {var.resolve(), _USUAL}:
        for name in (WECHAT_FILE, KEYS_FILE):
            path = folder / name
            if path.is_file():
                found |= _collect_strings(json.loads(path.read_text(encoding="utf-8")))
    return found


def _collect_strings(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_collect_strings(item) for item in value.values())) if value else set()
    return {value} if isinstance(value, str) and len(value) >= 16 else set()


def _made_once(path: Path, make: Any) -> dict[str, Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    # The emulator locks the same file, so that two first starts create only one file.
    with (path.parent / f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_file():
            fresh = path.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_text(json.dumps(make(), indent=1), encoding="utf-8")
            fresh.replace(path)
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def _random_word(length: int) -> str:
    return "".join(secrets.choice(_ALNUM) for _ in range(length))


def _new_app(form: str) -> dict[str, str]:
    return {
        "appid": "wx" + secrets.token_hex(8),
        "secret": _MARK + secrets.token_hex(14),
        "token": _MARK + _random_word(20),
        # The last of 43 base64 characters carries only four bits; in these letters the other
        # two are 0.
        "aes_key": _MARK + _random_word(38) + secrets.choice("AEIMQUYcgkosw048"),
        "mode": "safe",
        "format": form,
    }


def _new_apps() -> dict[str, Any]:
    official = {**_new_app("xml"), "original_id": "gh_" + secrets.token_hex(6)}
    return {"official_account": official, "mini_program": _new_app("json")}
