"""Commands that load contents: the campaign, questions, contests, activities, replies."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path

from server.activities import commands as activities
from server.announcements import commands as announcements
from server.app import Application
from server.channel import commands as channel
from server.checkin import commands as checkin
from server.checkin.service import GATE_LENGTH
from server.cli.printing import print_line
from server.programme import commands as programme
from server.quiz import service as quiz


def add_contents(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the commands that load contents."""
    campaign = add("load-campaign", _load_campaign, "load the campaign and its programmes")
    campaign.add_argument("file", type=Path)
    questions = add("import-questions", _import_questions, "import and publish a question bank")
    questions.add_argument("file", type=Path)
    questions.add_argument("--dry-run", action="store_true", help="check only, store nothing")
    questions.add_argument("--from-zero", action="store_true", help="answers count from 0")
    sessions = add("import-activities", _import_activities, "import and publish activities")
    sessions.add_argument("file", type=Path)
    sessions.add_argument("--dry-run", action="store_true", help="check only, store nothing")
    scanner = add("grant-scanner", _grant_scanner, "print the code of a new scanner grant, as JSON")
    scanner.add_argument("activity", help="its id")
    scanner.add_argument("--gate", default="1", help="the label of the gate", type=_gate_of)
    venue = add("venue-code", _venue_code, "print the venue's code of this moment, as JSON")
    venue.add_argument("activity", help="its id")
    told = "print openid and state of each recipient of an announcement, one a line"
    deliveries = add("deliveries", _list_deliveries, told)
    deliveries.add_argument("announcement", help="its id")
    deliveries.add_argument("--state", choices=announcements.STATES, help="only those in this one")
    contest = add("open-contest", _open_contest, "open a contest with a preset of rules")
    contest.add_argument("slug", type=_slug_of)
    contest.add_argument("--preset", default="default")
    contest.add_argument("--programme", default="quiz-contest")
    contest.add_argument("--title", help="instead of the programme's")
    add("push-menu", _push_menu, "show what changes in the menu and push it")
    scene = add("scene-code", _scene_code, "make the QR code of a scene")
    scene.add_argument("scene")


def _slug_of(words: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", words):
        raise argparse.ArgumentTypeError("1 to 40 small letters, digits and hyphens")
    return words


def _gate_of(words: str) -> str:
    if not 1 <= len(words.strip()) <= GATE_LENGTH:
        raise argparse.ArgumentTypeError(f"1 to {GATE_LENGTH} characters")
    return words.strip()


def _load_campaign(application: Application, asked: argparse.Namespace) -> int:
    report = programme.load_campaign(
        application.uow_factory, asked.file, shift=application.settings.emulated
    )
    for problem in report.problems:
        print_line(str(problem), error=True)
    print_line(str(report.counts))
    return 0 if report.ok else 1


def _import_questions(application: Application, asked: argparse.Namespace) -> int:
    said = quiz.ReadingOptions(from_zero=asked.from_zero)
    report = quiz.import_questions(
        application.uow_factory, asked.file, dry_run=asked.dry_run, said=said
    )
    for problem in report.problems:
        print_line(str(problem), error=True)
    for warning in report.warnings:
        print_line(f"warning: {warning}", error=True)
    if report.ignored_columns:
        print_line(f"not read: {', '.join(report.ignored_columns)}", error=True)
    print_line(f"{report.count} questions")
    return 0 if report.ok else 1


def _open_contest(application: Application, asked: argparse.Namespace) -> int:
    ref = quiz.open_programme_contest(
        application.uow_factory,
        slug=asked.slug,
        preset=asked.preset,
        programme=asked.programme,
        title=asked.title,
    )
    print_line(ref)
    return 0


def _push_menu(application: Application, _asked: argparse.Namespace) -> int:
    channel.push_menu(application.uow_factory, application.gateway, show=print_line)
    return 0


def _scene_code(application: Application, asked: argparse.Namespace) -> int:
    made = channel.scene_code(application.uow_factory, application.gateway, asked.scene)
    print_line(made.picture_url)
    return 0


def _import_activities(application: Application, asked: argparse.Namespace) -> int:
    report = activities.import_activities(
        application.uow_factory, asked.file, dry_run=asked.dry_run
    )
    for fault in report.faults:
        print_line(str(fault), error=True)
    print_line(f"{report.count} activities")
    return 0 if report.ok else 1


def _grant_scanner(application: Application, asked: argparse.Namespace) -> int:
    code = checkin.grant_scanner(application.uow_factory, asked.activity, asked.gate)
    print_line(json.dumps({"code": code}))
    return 0


def _venue_code(application: Application, asked: argparse.Namespace) -> int:
    print_line(json.dumps({"code": checkin.venue_code(application.uow_factory, asked.activity)}))
    return 0


def _list_deliveries(application: Application, asked: argparse.Namespace) -> int:
    listed = announcements.list_deliveries(application.uow_factory, asked.announcement, asked.state)
    for openid, state in listed:
        print_line(f"{openid} {state}")
    return 0
