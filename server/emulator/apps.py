"""The two registered apps: created once and stored in a file that the server also reads."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

OFFICIAL, MINI = "official_account", "mini_program"
FILE = "demo-wechat.json"
CALLBACKS = {OFFICIAL: "/wechat/official/callback", MINI: "/wechat/miniprogram/callback"}
MODES = ("plain", "compatible", "safe")
FORMATS = ("xml", "json")
CALLBACK = re.compile(r"(http://[^/?#\s]+)?/[!-~]*")
LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, kw_only=True)
class App:
    """A registered app with its message push settings."""

    account: str
    appid: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    mode: str
    format: str
    original_id: str
    callback: str

    def with_push(
        self, *, mode: str | None = None, format: str | None = None, callback: str | None = None
    ) -> App:
        """Return the app with another push mode, data format or callback.

        `callback` is a path on the server that receives pushes, or a complete http address.
        Raises: ValueError for a value that WeChat's console would not save.
        """
        changed = replace(
            self,
            mode=mode or self.mode,
            format=format or self.format,
            callback=callback or self.callback,
        )
        if changed.mode not in MODES or changed.format not in FORMATS:
            raise ValueError("mode is plain, compatible or safe; format is xml or json")
        if not CALLBACK.fullmatch(changed.callback):
            raise ValueError("a callback is a path that begins with /, or an http address")
        return changed


def load_or_make(var: Path) -> dict[str, App]:
    """Load the apps of this folder, or create them if the file does not exist yet.

    Locks: flock on `demo-wechat.json.lock`, as the server does.
    """
    var.mkdir(parents=True, exist_ok=True)
    path = var / FILE
    with (var / f"{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_file():
            _write_private(path, json.dumps(new_apps(), indent=1))
        kept = json.loads(path.read_text(encoding="utf-8"))
    return from_file(kept)


def from_file(kept: dict[str, Any]) -> dict[str, App]:
    """Read the apps from the content of a `demo-wechat.json`."""
    return {account: _load_app(account, kept[account]) for account in (OFFICIAL, MINI)}


def with_callbacks(apps: dict[str, App], callbacks: Mapping[str, str]) -> dict[str, App]:
    """Return the apps with the callbacks of the named accounts replaced.

    Raises: ValueError for an unknown account or an invalid address.
    """
    if not callbacks.keys() <= apps.keys():
        raise ValueError(f"an account is one of {sorted(apps)}")
    return {
        account: app.with_push(callback=callbacks.get(account)) for account, app in apps.items()
    }


def new_apps() -> dict[str, Any]:
    """Create two apps in the file's format."""
    made = {OFFICIAL: _fresh_secrets("xml"), MINI: _fresh_secrets("json")}
    made[OFFICIAL]["original_id"] = "gh_" + secrets.token_hex(6)
    return made


def _load_app(account: str, kept: dict[str, Any]) -> App:
    appid = str(kept["appid"])
    derived = "gh_" + hashlib.sha256(appid.encode()).hexdigest()[:12]
    return App(
        account=account,
        appid=appid,
        secret=str(kept["secret"]),
        token=str(kept["token"]),
        aes_key=str(kept["aes_key"]),
        mode=str(kept.get("mode", "safe")),
        format=str(kept.get("format", "xml" if account == OFFICIAL else "json")),
        original_id=str(kept.get("original_id", derived)),
        callback=str(kept.get("callback", CALLBACKS[account])),
    )


def _fresh_secrets(form: str) -> dict[str, str]:
    word = "".join(secrets.choice(LETTERS) for _ in range(20 + 38))
    return {
        "appid": "wx" + secrets.token_hex(8),
        # A production server recognises demo secrets by this prefix.
        "secret": "demo" + secrets.token_hex(14),
        "token": "demo" + word[:20],
        # The last of 43 base64 characters carries only four bits; in these letters the other
        # two are 0.
        "aes_key": "demo" + word[20:] + secrets.choice("AEIMQUYcgkosw048"),
        "mode": "safe",
        "format": form,
    }


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
