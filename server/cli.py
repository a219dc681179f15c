"""The commands of `python -m server`: each opens the application, does one thing and reports it.

Exit status: 0 done, 1 refused, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import getpass
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from server import slices
from server.accounts import commands as accounts
from server.app import Application, open_application
from server.audit import commands as audit
from server.audit.service import Subject, record_change
from server.base.access import Role, System
from server.base.errors import AppError
from server.base.jobs import Worker, run_until_idle
from server.base.log import set_up_logging
from server.base.outbox_control import find_queue, pause_queue, read_figures, resume_queue
from server.base.outbox_rows import Queue
from server.base.redis.client import RedisUnavailable
from server.base.retention import apply_retention
from server.base.settings import ROOT, SettingsError
from server.base.settings_reader import load_settings
from server.base.sql.patience import Use
from server.base.sql.schema import migrate_database
from server.base.web.page import FieldRefused
from server.base.web.worker_figures import FigurePublisher, publish_periodically
from server.channel import commands as channel
from server.dashboard import commands as dashboard
from server.demo.supervisor import run_demo
from server.doctor import run_doctor
from server.organizers import commands as organizers
from server.programme import commands as programme
from server.quiz import service as quiz

_USES = {"worker": Use.JOBS, "migrate": Use.MIGRATIONS}
Command = Callable[[Application, argparse.Namespace], int]


def main(arguments: list[str] | None = None) -> int:
    """Run one command."""
    asked = build_parser().parse_args(arguments)
    if asked.command == "doctor":
        # doctor also reports invalid settings, so it runs before they are loaded.
        return run_doctor(_print_line)
    try:
        settings = load_settings()
    except SettingsError as refusal:
        _print_line(str(refusal), error=True)
        return 1
    if asked.only_in and settings.environment != asked.only_in:
        _print_line(f"refused: {asked.command} runs in the {asked.only_in} alone", error=True)
        return 1
    if asked.command == "demo":
        return run_demo(settings)
    if asked.command == "serve":
        return _serve_http()
    process = "worker" if asked.command == "worker" else "command"
    set_up_logging(settings.var, process, settings.log_level, settings.log_console)
    try:
        return int(
            asked.run(open_application(settings, use=_USES.get(asked.command, Use.COMMANDS)), asked)
        )
    except AppError as refusal:
        _print_line(f"refused: {refusal.code} {refusal.facts or ''}".rstrip(), error=True)
        return 1
    except RedisUnavailable:
        _print_line("Redis is away: nothing was changed there", error=True)
        return 1


def build_parser() -> argparse.ArgumentParser:
    """Every command with its arguments; `only_in` restricts one to an environment."""
    made = argparse.ArgumentParser(prog="python -m server", description=__doc__)
    commands_of = made.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add_command(
        name: str, run: Command | None, words: str, *, only_in: str = ""
    ) -> argparse.ArgumentParser:
        command = commands_of.add_parser(name, help=words, description=words)
        command.set_defaults(run=run, only_in=only_in)
        return command

    _add_processes(add_command)
    _add_contents(add_command)
    _add_people(add_command)
    _add_organizers(add_command)
    return made


def _add_processes(add: Callable[..., argparse.ArgumentParser]) -> None:
    everything = "run server, worker, embedded Redis and emulated WeChat (make run)"
    add("demo", None, everything, only_in="demo")
    add("serve", None, "run the web server with gunicorn")
    worker = add("worker", _run_worker, "run the background worker")
    worker.add_argument("--until-idle", action="store_true", help="stop when nothing is due")
    add("doctor", None, "print one line for each requirement: settings, stores, disk, WeChat")
    add("migrate", _migrate_database, "bring the database to the newest schema")
    add("rebuild-leaderboards", _rebuild_leaderboards, "build every board anew from the database")
    took_part = "recompute participations from closed papers, earlier ones included"
    add("rebuild-participation", _rebuild_participation, took_part)
    counted = "count every figure of the dashboard again from the recorded participations"
    add("rebuild-figures", _rebuild_figures, counted)
    _add_queues(add)


def _add_queues(add: Callable[..., argparse.ArgumentParser]) -> None:
    add("queues", _show_queues, "print one line for each queue of outgoing calls")
    pause = add("pause-queue", _pause_queues, "stop new calls of these queues")
    pause.add_argument("--reason", default="")
    resume = add("resume-queue", _resume_queues, "resume these queues")
    for one in (pause, resume):
        one.add_argument("queue", nargs="+", help="names of queues, or `all`")


def _add_contents(add: Callable[..., argparse.ArgumentParser]) -> None:
    campaign = add("load-campaign", _load_campaign, "load the campaign and its programmes")
    campaign.add_argument("file", type=Path)
    questions = add("import-questions", _import_questions, "import and publish a question bank")
    questions.add_argument("file", type=Path)
    questions.add_argument("--dry-run", action="store_true", help="check only, store nothing")
    questions.add_argument("--from-zero", action="store_true", help="answers count from 0")
    contest = add("open-contest", _open_contest, "open a contest with a preset of rules")
    contest.add_argument("slug", type=_slug_of)
    contest.add_argument("--preset", default="default")
    contest.add_argument("--programme", default="quiz-contest")
    contest.add_argument("--title", help="instead of the programme's")
    add("push-menu", _push_menu, "show what changes in the menu and push it")
    scene = add("scene-code", _scene_code, "make the QR code of a scene")
    scene.add_argument("scene")


def _add_people(add: Callable[..., argparse.ArgumentParser]) -> None:
    for name, run, words in (
        ("export-person", _export_person, "print all data stored about a citizen, as JSON"),
        ("erase-person", _erase_person, "erase a citizen's data; anonymous results remain"),
    ):
        add(name, run, words).add_argument("citizen", help="their id (cit_...) or an openid")
    pictures = add("pictures", _show_pictures, "list the pictures that wait for a person")
    pictures.add_argument("--save", type=Path, metavar="FOLDER", help="write them there as well")
    for name, words in (
        ("pass-picture", "show a picture in review to everybody"),
        ("refuse-picture", "refuse a picture in review and delete it"),
    ):
        add(name, _judge_picture, words).add_argument("picture", help="its name")
    overdue = "delete what is held about persons for longer than declared"
    retention = add("retention", _apply_retention, overdue)
    retention.add_argument("--dry-run", action="store_true", help="count only, delete nothing")
    verify = add("verify-audit", _verify_audit, "name the first fault of the audit trail, if any")
    verify.add_argument("--head", default="", help="NUMBER:DIGEST of the log or an earlier run")
    final = add("verify-final", _verify_final, "name the first changed byte or row of final ranks")
    final.add_argument("contest")
    final.add_argument("--public-key", default="", help="if it was another one")


def _add_organizers(add: Callable[..., argparse.ArgumentParser]) -> None:
    words = "create an organizer's account and print its one-time link"
    made = add("create-organizer", _create_organizer, words)
    made.add_argument("username", help="for the log-in: a-z, 0-9, `.`, `_`, `-`")
    made.add_argument("--name", required=True, help="the person's name")
    made.add_argument("--role", required=True, type=Role, choices=list(Role), metavar="ROLE",
                      help=", ".join(Role))  # fmt: skip
    made.add_argument(
        "--scope", default="region", help="region, city:450100, county:450103 or unit:7"
    )
    made.add_argument("--password", action="store_true", help="ask for it here, print no link")
    lost = "print a one-time link for an organizer who lost password or phone; ends all sessions"
    add("recover-organizer", _recover_organizer, lost).add_argument("username")


def _slug_of(words: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", words):
        raise argparse.ArgumentTypeError("1 to 40 small letters, digits and hyphens")
    return words


def _serve_http() -> int:
    conf = str(ROOT / "config" / "gunicorn.conf.py")
    command = [sys.executable, "-m", "gunicorn", "-c", conf, "--chdir", str(ROOT), "wsgi:app"]
    # Replace this process by gunicorn, so that it receives signals directly.
    os.execv(sys.executable, command)  # noqa: S606 - our own fixed command


def _run_worker(application: Application, asked: argparse.Namespace) -> int:
    redis = application.uow_factory.dependencies.kv
    with publish_periodically(FigurePublisher(redis.counters)):
        if asked.until_idle:
            _print_line(f"{run_until_idle(application.task_context, slices.TASKS)} rows moved")
            return 0
        signal.signal(signal.SIGTERM, lambda _number, _frame: signal.raise_signal(signal.SIGINT))
        Worker(application.task_context, slices.TASKS, redis.kv).run_worker()
    return 0


def _migrate_database(application: Application, _asked: argparse.Namespace) -> int:
    migrate_database(application.uow_factory.engine)
    _print_line("the schema is the newest")
    return 0


def _load_campaign(application: Application, asked: argparse.Namespace) -> int:
    report = programme.load_campaign(
        application.uow_factory, asked.file, shift=application.settings.emulated
    )
    for problem in report.problems:
        _print_line(str(problem), error=True)
    _print_line(str(report.counts))
    return 0 if report.ok else 1


def _import_questions(application: Application, asked: argparse.Namespace) -> int:
    said = quiz.ReadingOptions(from_zero=asked.from_zero)
    report = quiz.import_questions(
        application.uow_factory, asked.file, dry_run=asked.dry_run, said=said
    )
    for problem in report.problems:
        _print_line(str(problem), error=True)
    for warning in report.warnings:
        _print_line(f"warning: {warning}", error=True)
    if report.ignored_columns:
        _print_line(f"not read: {', '.join(report.ignored_columns)}", error=True)
    _print_line(f"{report.count} questions")
    return 0 if report.ok else 1


def _open_contest(application: Application, asked: argparse.Namespace) -> int:
    ref = quiz.open_programme_contest(
        application.uow_factory,
        slug=asked.slug,
        preset=asked.preset,
        programme=asked.programme,
        title=asked.title,
    )
    _print_line(ref)
    return 0


def _push_menu(application: Application, _asked: argparse.Namespace) -> int:
    channel.push_menu(application.uow_factory, application.gateway, show=_print_line)
    return 0


def _scene_code(application: Application, asked: argparse.Namespace) -> int:
    made = channel.scene_code(application.uow_factory, application.gateway, asked.scene)
    _print_line(made.picture_url)
    return 0


def _rebuild_leaderboards(application: Application, _asked: argparse.Namespace) -> int:
    made = quiz.rebuild_leaderboards(
        application.uow_factory, lambda done, total: _print_line(f"{done} of {total} boards")
    )
    _print_line(str(made))
    return 0


def _rebuild_participation(application: Application, _asked: argparse.Namespace) -> int:
    made = quiz.rebuild_participation(
        application.uow_factory, lambda done, total: _print_line(f"{done} of {total} papers")
    )
    _print_line(str(made))
    return 1 if made.busy else 0


def _rebuild_figures(application: Application, _asked: argparse.Namespace) -> int:
    _print_line(str(dashboard.rebuild_figures(application.uow_factory)))
    return 0


def _show_queues(application: Application, _asked: argparse.Namespace) -> int:
    with application.uow_factory.begin(read_only=True) as uow:
        for one in (read_figures(uow, queue) for queue in slices.QUEUES):
            counts = " ".join(f"{state}={count}" for state, count in one.by_state.items())
            paused = " paused" if one.paused else ""
            _print_line(f"{one.name}: {counts} oldest={one.oldest_seconds:.0f}s{paused}")
    return 0


def _pause_queues(application: Application, asked: argparse.Namespace) -> int:
    by = System(name="pause-queue")
    with application.uow_factory.begin(by) as uow:
        for queue in _queues_named(asked.queue):
            pause_queue(uow, queue, asked.reason)
            subject = Subject("queue", queue.name)
            record_change(uow, by, "audit.pause_queue", subject, reason=asked.reason)
            _print_line(f"{queue.name}: paused")
    return 0


def _resume_queues(application: Application, asked: argparse.Namespace) -> int:
    by = System(name="resume-queue")
    with application.uow_factory.begin(by) as uow:
        for queue in _queues_named(asked.queue):
            was_paused = resume_queue(uow, queue)
            record_change(uow, by, "audit.resume_queue", Subject("queue", queue.name))
            _print_line(f"{queue.name}: {'resumed' if was_paused else 'was not paused'}")
    return 0


def _queues_named(names: list[str]) -> list[Queue]:
    if names == ["all"]:
        return list(slices.QUEUES)
    return [find_queue(slices.QUEUES, name) for name in names]


def _export_person(application: Application, asked: argparse.Namespace) -> int:
    held = accounts.export_person(application.uow_factory, asked.citizen)
    _print_line(msgspec.json.format(msgspec.json.encode(held)).decode())
    return 0


def _erase_person(application: Application, asked: argparse.Namespace) -> int:
    accounts.erase_person(application.uow_factory, asked.citizen)
    _print_line("forgotten")
    return 0


def _create_organizer(application: Application, asked: argparse.Namespace) -> int:
    new = organizers.NewAccount(
        username=asked.username, name=asked.name, role=asked.role, place=asked.scope
    )
    say = application.uow_factory.dependencies.texts.fill_text
    try:
        if not asked.password:
            _print_line(organizers.create_organizer(application.uow_factory, new))
            return 0
        made = organizers.create_with_password(application.uow_factory, new, _ask_password())
    except FieldRefused as refusal:
        _print_line(f"refused: {refusal.field_name}: {say(refusal.said)}", error=True)
        return 1
    _print_line(f"for the authenticator app: {made.app_address}")
    _print_line(f"recovery codes: {' '.join(made.recovery_codes)}")
    return 0


def _ask_password() -> str:
    """Read a password: asked for twice on a terminal, else one line of standard input.

    Raises: FieldRefused when the two differ.
    """
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("password: ")
    if getpass.getpass("again: ") != password:
        raise FieldRefused("password", "organizers.form.again_wrong")
    return password


def _recover_organizer(application: Application, asked: argparse.Namespace) -> int:
    _print_line(organizers.recover_organizer(application.uow_factory, asked.username))
    return 0


def _show_pictures(application: Application, asked: argparse.Namespace) -> int:
    found = accounts.save_pictures(application.uow_factory, asked.save)
    for one in found:
        _print_line(
            f"{one.name} {one.made_at.isoformat(timespec='seconds')} {len(one.picture)} bytes"
        )
    _print_line(f"{len(found)} pictures wait")
    return 0


def _judge_picture(application: Application, asked: argparse.Namespace) -> int:
    shown = asked.command == "pass-picture"
    accounts.judge_picture(application.uow_factory, asked.picture, shown=shown)
    _print_line("shown" if shown else "refused")
    return 0


def _verify_audit(application: Application, asked: argparse.Namespace) -> int:
    return 0 if audit.verify_audit(application.uow_factory, asked.head, _print_line) else 1


def _verify_final(application: Application, asked: argparse.Namespace) -> int:
    asked_for = (application.uow_factory, asked.contest, asked.public_key)
    return 0 if quiz.verify_final_ranks(*asked_for, _print_line) else 1


def _apply_retention(application: Application, asked: argparse.Namespace) -> int:
    declared = slices.PERSONAL_DATA.order
    counts = apply_retention(application.uow_factory, declared, dry_run=asked.dry_run)
    for table, count in counts.items():
        _print_line(f"{table}: {count}")
    return 0


def _print_line(line: str, *, error: bool = False) -> None:
    (sys.stderr if error else sys.stdout).write(line + "\n")
