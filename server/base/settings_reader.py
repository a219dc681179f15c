"""Reads the settings at the start: default.toml < chosen file < demo files < environment.

Invalid settings stop the start, with every error in one message. Uses only the standard
library, so that settings can be checked before installation.
"""

from __future__ import annotations

import difflib
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, cast, get_type_hints

from server.base.demo_secrets import demo_layer
from server.base.settings import DEMO_FILE, PREFIX, ROOT, Settings, SettingsError
from server.base.settings_check import (
    complaints_about_apps,
    complaints_about_forms,
    complaints_about_production,
    exposed_secrets,
)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Load the settings of this process; the demo's secrets are created at the first start.

    Raises: SettingsError with every error.
    """
    settings, complaints = read_settings(environ)
    if len(complaints) == 1:
        raise SettingsError(f"settings refused: {complaints[0]}")
    if complaints:
        raise SettingsError("settings refused:\n" + "\n".join(f"- {line}" for line in complaints))
    return settings


def read_settings(environ: Mapping[str, str] | None = None) -> tuple[Settings, list[str]]:
    """Read the settings and every error in them; an unreadable value keeps its default.

    In the demo, files are only created when there is no error.
    """
    given = dict(os.environ if environ is None else environ)
    complaints: list[str] = []
    files = [ROOT / "config" / "default.toml"]
    chosen = given.get("KEPU_CONFIG")
    if chosen:
        files.append(Path(chosen))
    layers = {path: _read_toml(path, complaints, _origin_of(path, chosen)) for path in files}
    values: dict[str, Any] = {}
    for layer in layers.values():
        _merge_into(values, layer)
    from_environment = _from_environment(given, complaints)
    settings: Settings = _build_section(
        Settings, _overlay_values(values, from_environment), "", complaints
    )
    complaints += complaints_about_forms(settings)
    if settings.environment == "production":
        complaints += complaints_about_production(settings, _operator_of_the_demo())
        complaints += exposed_secrets(layers)
    elif settings.emulated and not complaints:
        _merge_into(values, _read_toml(DEMO_FILE, complaints))
        _add_demo_secrets(values, settings, complaints)
        settings = _build_section(Settings, _overlay_values(values, from_environment), "", [])
    if settings.environment == "production" or not complaints:
        complaints += complaints_about_apps(settings)
    return settings, [_with_variable(complaint) for complaint in complaints]


def _origin_of(path: Path, chosen: str | None) -> str:
    return f"KEPU_CONFIG: {chosen}" if chosen and path == Path(chosen) else path.name


def _with_variable(complaint: str) -> str:
    """Add a setting's environment variable to an error that has its name in files."""
    path, _, what = complaint.partition(": ")
    if path not in _paths_of(Settings) and not what.startswith("unknown setting"):
        return complaint
    return f"{complaint} ({PREFIX}{path.replace('.', '__').upper()})"


def _paths_of(kind: type, before: str = "") -> frozenset[str]:
    found = set()
    for name, hint in get_type_hints(kind).items():
        found.add(f"{before}{name}")
        if is_dataclass(hint):
            found |= _paths_of(cast(type, hint), f"{before}{name}.")
    return frozenset(found)


def _add_demo_secrets(values: dict[str, Any], settings: Settings, complaints: list[str]) -> None:
    try:
        _merge_into(values, demo_layer(settings.var, settings.emulator_port))
    except (OSError, ValueError, KeyError) as trouble:
        complaints.append(f"var: {settings.var} holds no usable data of a demo: {trouble}")


def _operator_of_the_demo() -> frozenset[str]:
    facts = _read_toml(DEMO_FILE, []).get("operator", {})
    return frozenset(str(value) for value in facts.values())


def _read_toml(path: Path, complaints: list[str], origin: str = "") -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as trouble:
        why = trouble.strerror if isinstance(trouble, OSError) else trouble
        complaints.append(f"{origin or path.name}: {why}")
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


# KEPU_ variables that are no settings: for other programs, or for the start itself.
OUTSIDE = ("KEPU_CONFIG", "KEPU_PROVE", "KEPU_UPLOAD_")


def _overlay_values(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    _merge_into(merged, below)
    _merge_into(merged, above)
    return merged


def _merge_into(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, Mapping):
            kept = below.get(key)
            below[key] = _overlay_values(kept if isinstance(kept, dict) else {}, value)
        else:
            below[key] = value


def _build_section(kind: type, values: Mapping[str, Any], path: str, complaints: list[str]) -> Any:
    hints = get_type_hints(kind)
    known = {item.name: item for item in fields(kind)}
    made: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            complaints.append(f"{path}{key}: unknown setting{_suggest_key(key, known)}")
        elif is_dataclass(hints[key]):
            if isinstance(value, Mapping):
                made[key] = _build_section(
                    cast(type, hints[key]), value, f"{path}{key}.", complaints
                )
            else:
                complaints.append(f"{path}{key}: a table is expected")
        else:
            _take_value(made, known[key], hints[key], value, f"{path}{key}", complaints)
    missing = [n for n, f in known.items() if f.default is f.default_factory is MISSING]
    complaints += [f"{path}{name}: missing" for name in missing if name not in made]
    return kind(**made)


def _suggest_key(key: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def _take_value(
    made: dict[str, Any], item: Field[Any], kind: Any, value: Any, path: str, complaints: list[str]
) -> None:
    try:
        converted = _convert_value(kind, value)
    except (TypeError, ValueError):
        complaints.append(f"{path}: {kind.__name__} expected")
        return
    least, most = item.metadata.get("bounds", (None, None))
    # Written as `not (a <= x <= b)` so that nan is refused.
    if least is not None and not least <= converted <= most:
        complaints.append(f"{path}: between {least:g} and {most:g} expected")
        return
    made[item.name] = converted


def _convert_value(kind: Any, value: Any) -> Any:
    if kind is bool:
        return _parse_boolean(value)
    if kind is Path:
        return Path(str(value)).expanduser()
    if isinstance(value, bool | list | Mapping) or (kind is int and isinstance(value, float)):
        raise ValueError
    return kind(value)


def _parse_boolean(value: Any) -> bool:
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
