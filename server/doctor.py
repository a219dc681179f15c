"""`python -m server doctor`: one line per requirement of the service.

Changes nothing, and continues after a failed check, so that one run shows everything.
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import text

from server.app import Application, Overrides, open_application
from server.base.database_away import DatabaseAway
from server.base.errors import AppError
from server.base.restored_backup import count_held
from server.base.settings import Settings
from server.base.settings_reader import read_settings
from server.base.signing import Keys
from server.base.sql.patience import Use
from server.base.sql.schema import is_newest, newest_revision
from server.console.assets import missing_libraries
from server.slices import QUEUES
from server.wechat.errors import WeChatError

Tell = Callable[[str], None]
_FREE_SHARE = 0.05
_BY_OTHERS = stat.S_IRWXO
_VERSIONS = {"sqlite": "SELECT sqlite_version()", "postgresql": "SHOW server_version"}


class CheckState(StrEnum):
    """Result of a check; only `wrong` makes the command fail."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    state: CheckState
    about: str
    words: str

    def __str__(self) -> str:
        return f"{self.state:<7} {self.about:<11} {self.words}"


def run_doctor(tell: Tell, overrides: Overrides | None = None) -> int:
    """Run all checks; return 0 when none failed, otherwise 1."""
    wrong = False
    # The report contains every failure; log lines would repeat them.
    logging.disable()
    try:
        for finding in _collect_findings(overrides):
            tell(str(finding))
            wrong = wrong or finding.state is CheckState.WRONG
    finally:
        logging.disable(logging.NOTSET)
    return 1 if wrong else 0


def _collect_findings(overrides: Overrides | None) -> Iterator[Finding]:
    settings, complaints = read_settings()
    for complaint in complaints:
        yield Finding(CheckState.WRONG, "settings", complaint)
    if not complaints:
        yield Finding(
            CheckState.OK, "settings", f"environment {settings.environment}, all are in order"
        )
        yield _check_operator(settings)
        yield _tell_seal_key(settings)
    yield from _check_disks(settings)
    yield from _check_modes(settings)
    yield _console_libraries()
    if complaints:
        yield Finding(CheckState.WARNING, "services", "not asked: the settings come first")
        return
    application = open_application(settings, overrides, use=Use.JOBS)
    try:
        yield from _check_database(application)
        yield _check_redis(application)
        yield from _check_wechat(application)
    finally:
        application.uow_factory.engine.dispose()


def _check_operator(settings: Settings) -> Finding:
    if settings.emulated:
        return Finding(CheckState.WARNING, "operator", "the demo's words; production needs its own")
    words = f"{settings.operator.name}, policy {settings.policy_version} of {settings.policy_date}"
    return Finding(CheckState.OK, "operator", words)


def _tell_seal_key(settings: Settings) -> Finding:
    """The public key of final ranks, which changes with the master key."""
    key = Keys(settings.security.master_key).final_ranks_key
    return Finding(CheckState.OK, "final ranks", f"signed with the key {key}")


def _console_libraries() -> Finding:
    missing = missing_libraries()
    if not missing:
        return Finding(CheckState.OK, "console", "the libraries of its pages are built")
    words = f"not built: {', '.join(missing)}; run `make console`, or copy server/console/static"
    return Finding(CheckState.WARNING, "console", words)


def _check_disks(settings: Settings) -> Iterator[Finding]:
    for folder in (settings.var, Path(tempfile.gettempdir())):
        try:
            disk = shutil.disk_usage(folder)
        except OSError as trouble:
            yield Finding(CheckState.WRONG, "disk", f"{folder}: {trouble.strerror}")
            continue
        full = disk.free <= disk.total * _FREE_SHARE
        free = f"{folder}: {disk.free / 2**30:.1f} of {disk.total / 2**30:.1f} GiB free"
        yield Finding(CheckState.WRONG if full else CheckState.OK, "disk", free)


def _check_modes(settings: Settings) -> Iterator[Finding]:
    """Files of the service that other users of the machine can access."""
    if not settings.var.is_dir():
        return
    if not settings.var.stat().st_mode & stat.S_IXOTH:
        yield Finding(CheckState.OK, "file modes", f"{settings.var}: closed to other users")
        return
    # Links are not followed; a file that vanishes meanwhile was temporary.
    open_ones = [path for path in _list_files(settings.var) if _mode_of(path) & _BY_OTHERS]
    if not open_ones:
        yield Finding(
            CheckState.OK, "file modes", f"{settings.var}: no file is open to other users"
        )
        return
    state = CheckState.WARNING if settings.emulated else CheckState.WRONG
    names = ", ".join(str(path.relative_to(settings.var)) for path in open_ones[:3])
    more = f" and {len(open_ones) - 3} more" if len(open_ones) > 3 else ""
    words = f"{settings.var}: open to other users: {names}{more}; close the folder (chmod o=)"
    yield Finding(state, "file modes", words)


def _list_files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root) / name for name in sorted(names))


def _mode_of(path: Path) -> int:
    try:
        return stat.S_IMODE(path.lstat().st_mode) if not path.is_symlink() else 0
    except FileNotFoundError:
        return 0


def _check_database(application: Application) -> Iterator[Finding]:
    kind, file = (
        application.uow_factory.engine.dialect.name,
        application.uow_factory.engine.url.database,
    )
    if kind == "sqlite" and not Path(file or "").is_file():
        # Connecting would create the file.
        yield Finding(
            CheckState.WRONG, "database", f"no file {file}; run `python -m server migrate`"
        )
        return
    try:
        with application.uow_factory.begin(read_only=True) as uow:
            version = uow.session.execute(text(_VERSIONS[kind])).scalar_one()
    except DatabaseAway as away:
        cause = away.__cause__ or away
        words = f"{kind} does not answer ({type(cause).__name__})"
        yield Finding(CheckState.WRONG, "database", words)
        yield Finding(CheckState.WARNING, "migrations", "not known: the database comes first")
        return
    yield Finding(CheckState.OK, "database", f"{kind} {version} answers")
    if is_newest(application.uow_factory.engine):
        yield Finding(CheckState.OK, "migrations", f"the newest, {newest_revision()}")
        yield from _check_held(application)
    else:
        words = f"behind {newest_revision()}; run `python -m server migrate`"
        yield Finding(CheckState.WRONG, "migrations", words)


def _check_held(application: Application) -> Iterator[Finding]:
    """Calls that wait for a decision since a backup was restored."""
    with application.uow_factory.begin(read_only=True) as uow:
        held = {queue.name: count_held(uow, queue) for queue in QUEUES}
    for name, count in held.items():
        if count:
            words = f"{count} calls of {name} held since a restore; see `release-queue`"
            yield Finding(CheckState.WARNING, "queues", words)


def _check_redis(application: Application) -> Finding:
    if application.uow_factory.dependencies.kv.kv.ping_server():
        return Finding(CheckState.OK, "redis", "answers")
    return Finding(CheckState.WRONG, "redis", "does not answer; boards and limits work without it")


def _check_wechat(application: Application) -> Iterator[Finding]:
    wechat = application.settings.wechat
    apps = {"official_account": wechat.official_account, "mini_program": wechat.mini_program}
    for name, app in apps.items():
        about = f"{name} {app.appid} at {wechat.api_base}"
        try:
            application.gateway.try_credentials(name)
        except WeChatError as refusal:
            number = "" if refusal.errcode is None else f" {refusal.errcode}"
            words = f"{about}: no token ({refusal.code}{number})"
            yield Finding(CheckState.WRONG, "wechat", words)
        except AppError as refusal:
            yield Finding(CheckState.WRONG, "wechat", f"{about}: no token ({refusal.code})")
        else:
            yield Finding(CheckState.OK, "wechat", f"{about}: gives a token")
