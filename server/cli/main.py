"""The commands of `python -m server`: each opens the application, does one thing and reports it.

Exit status: 0 done, 1 refused, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from server import slices
from server.app import Application, open_application
from server.audit.service import Subject, record_change
from server.base.access import System
from server.base.errors import AppError
from server.base.jobs import Worker, run_until_idle
from server.base.log import set_up_logging
from server.base.outbox_control import find_queue, pause_queue, read_figures, resume_queue
from server.base.outbox_rows import Queue
from server.base.redis.client import RedisUnavailable
from server.base.restored_backup import drop_calls, hold_calls, release_calls
from server.base.settings import ROOT, SettingsError
from server.base.settings_reader import load_settings
from server.base.sql.patience import Use
from server.base.sql.schema import migrate_database
from server.base.web.worker_figures import FigurePublisher, publish_periodically
from server.cli.contents import add_contents
from server.cli.people import add_organizers, add_people
from server.cli.printing import print_line
from server.dashboard import commands as dashboard
from server.demo.banner import say_line
from server.demo.crowd import DemoAway
from server.demo.rush import play_rush
from server.demo.season_lectures import RUSH
from server.demo.supervisor import run_demo
from server.doctor import run_doctor
from server.quiz import service as quiz

_USES = {"worker": Use.JOBS, "migrate": Use.MIGRATIONS}
Command = Callable[[Application, argparse.Namespace], int]


def main(arguments: list[str] | None = None) -> int:
    """Run one command."""
    asked = build_parser().parse_args(arguments)
    if asked.command == "doctor":
        # doctor also reports invalid settings, so it runs before they are loaded.
        return run_doctor(print_line)
    try:
        settings = load_settings()
    except SettingsError as refusal:
        print_line(str(refusal), error=True)
        return 1
    if asked.only_in and settings.environment != asked.only_in:
        print_line(f"refused: {asked.command} runs in the {asked.only_in} alone", error=True)
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
        print_line(f"refused: {refusal.code} {refusal.facts or ''}".rstrip(), error=True)
        return 1
    except RedisUnavailable:
        print_line("Redis is away: nothing was changed there", error=True)
        return 1


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands and arguments; `only_in` restricts one to an environment."""
    made = argparse.ArgumentParser(prog="python -m server", description=__doc__)
    commands_of = made.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add_command(
        name: str, run: Command | None, words: str, *, only_in: str = ""
    ) -> argparse.ArgumentParser:
        command = commands_of.add_parser(name, help=words, description=words)
        command.set_defaults(run=run, only_in=only_in)
        return command

    _add_processes(add_command)
    add_contents(add_command)
    add_people(add_command)
    add_organizers(add_command)
    return made


def _add_processes(add: Callable[..., argparse.ArgumentParser]) -> None:
    everything = "run server, worker, embedded Redis and emulated WeChat (make run)"
    add("demo", None, everything, only_in="demo")
    many = "let people sign up for an activity of the running demo, and print what came of it"
    rush = add("rush", _play_rush, many, only_in="demo")
    rush.add_argument("activity", nargs="?", default=RUSH)
    rush.add_argument("--people", type=int, default=2000)
    rush.add_argument("--seconds", type=float, default=60.0, help="within which all of them come")
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
    held = "hold back the calls that are due now, as after the restore of a backup"
    hold = add("hold-queue", _hold_queues, held)
    release = add("release-queue", _release_queues, "make the held calls of these queues")
    release.add_argument("--give-up", action="store_true", help="give them up instead")
    for one in (pause, resume, hold, release):
        one.add_argument("queue", nargs="+", help="names of queues, or `all`")


def _serve_http() -> int:
    conf = str(ROOT / "config" / "gunicorn.conf.py")
    command = [sys.executable, "-m", "gunicorn", "-c", conf, "--chdir", str(ROOT), "wsgi:app"]
    # Replace this process by gunicorn, so that it receives signals directly.
    os.execv(sys.executable, command)  # noqa: S606 - our own fixed command


def _play_rush(application: Application, asked: argparse.Namespace) -> int:
    try:
        result = play_rush(application, asked.activity, asked.people, asked.seconds, say_line)
    except DemoAway as refusal:
        print_line(str(refusal), error=True)
        return 1
    for line in result.tell_lines():
        print_line(line)
    return 0 if result.ok else 1


def _run_worker(application: Application, asked: argparse.Namespace) -> int:
    redis, context = application.uow_factory.dependencies.kv, application.task_context
    with publish_periodically(FigurePublisher(redis.counters)):
        if asked.until_idle:
            slices.watch_all_queues(context)
            print_line(f"{run_until_idle(context, slices.TASKS)} rows moved")
            return 0
        signal.signal(signal.SIGTERM, lambda _number, _frame: signal.raise_signal(signal.SIGINT))
        worker = Worker(context, slices.TASKS, redis.kv, first=slices.WATCH_RESTORES)
        # A signal that comes before the consumer listens.
        with suppress(KeyboardInterrupt):
            worker.run_worker()
    return 0


def _migrate_database(application: Application, _asked: argparse.Namespace) -> int:
    migrate_database(application.uow_factory.engine)
    print_line("the schema is the newest")
    return 0


def _rebuild_leaderboards(application: Application, _asked: argparse.Namespace) -> int:
    made = quiz.rebuild_leaderboards(
        application.uow_factory, lambda done, total: print_line(f"{done} of {total} boards")
    )
    print_line(str(made))
    return 0


def _rebuild_participation(application: Application, _asked: argparse.Namespace) -> int:
    made = quiz.rebuild_participation(
        application.uow_factory, lambda done, total: print_line(f"{done} of {total} papers")
    )
    print_line(str(made))
    return 1 if made.busy else 0


def _rebuild_figures(application: Application, _asked: argparse.Namespace) -> int:
    print_line(str(dashboard.rebuild_figures(application.uow_factory)))
    return 0


def _show_queues(application: Application, _asked: argparse.Namespace) -> int:
    with application.uow_factory.begin(read_only=True) as uow:
        for one in (read_figures(uow, queue) for queue in slices.QUEUES):
            counts = " ".join(f"{state}={count}" for state, count in one.by_state.items())
            paused = " paused" if one.paused else ""
            print_line(f"{one.name}: {counts} oldest={one.oldest_seconds:.0f}s{paused}")
    return 0


def _pause_queues(application: Application, asked: argparse.Namespace) -> int:
    by = System(name="pause-queue")
    with application.uow_factory.begin(by) as uow:
        for queue in _queues_named(asked.queue):
            pause_queue(uow, queue, asked.reason)
            subject = Subject("queue", queue.name)
            record_change(uow, by, "audit.pause_queue", subject, reason=asked.reason)
            print_line(f"{queue.name}: paused")
    return 0


def _resume_queues(application: Application, asked: argparse.Namespace) -> int:
    by = System(name="resume-queue")
    with application.uow_factory.begin(by) as uow:
        for queue in _queues_named(asked.queue):
            was_paused = resume_queue(uow, queue)
            record_change(uow, by, "audit.resume_queue", Subject("queue", queue.name))
            print_line(f"{queue.name}: {'resumed' if was_paused else 'was not paused'}")
    return 0


def _hold_queues(application: Application, asked: argparse.Namespace) -> int:
    by = System(name="hold-queue")
    with application.uow_factory.begin(by) as uow:
        for queue in _queues_named(asked.queue):
            held = hold_calls(uow, queue)
            record_change(uow, by, "audit.hold_queue", Subject("queue", queue.name))
            print_line(f"{queue.name}: {held} calls held")
    return 0


def _release_queues(application: Application, asked: argparse.Namespace) -> int:
    by = System(name="release-queue")
    with application.uow_factory.begin(by) as uow:
        for queue in _queues_named(asked.queue):
            subject = Subject("queue", queue.name)
            if asked.give_up:
                print_line(f"{queue.name}: {drop_calls(uow, queue)} calls given up")
                record_change(uow, by, "audit.drop_held_calls", subject)
            else:
                print_line(f"{queue.name}: {release_calls(uow, queue)} calls released")
                record_change(uow, by, "audit.release_queue", subject)
    return 0


def _queues_named(names: list[str]) -> list[Queue]:
    if names == ["all"]:
        return list(slices.QUEUES)
    return [find_queue(slices.QUEUES, name) for name in names]
