"""Commands about citizens and organizers, and the checks of their records."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from server import slices
from server.accounts import commands as accounts
from server.app import Application
from server.audit import commands as audit
from server.base.access import Role
from server.base.retention import apply_retention
from server.base.web.page import FieldRefused
from server.cli.printing import print_line
from server.organizers import commands as organizers
from server.quiz import service as quiz


def add_people(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the commands about citizens."""
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


def add_organizers(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the commands about organizers and about records."""
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


def _export_person(application: Application, asked: argparse.Namespace) -> int:
    held = accounts.export_person(application.uow_factory, asked.citizen)
    print_line(msgspec.json.format(msgspec.json.encode(held)).decode())
    return 0


def _erase_person(application: Application, asked: argparse.Namespace) -> int:
    accounts.erase_person(application.uow_factory, asked.citizen)
    print_line("forgotten")
    return 0


def _create_organizer(application: Application, asked: argparse.Namespace) -> int:
    new = organizers.NewAccount(
        username=asked.username, name=asked.name, role=asked.role, place=asked.scope
    )
    say = application.uow_factory.dependencies.texts.fill_text
    try:
        if not asked.password:
            print_line(organizers.create_organizer(application.uow_factory, new))
            return 0
        made = organizers.create_with_password(application.uow_factory, new, _ask_password())
    except FieldRefused as refusal:
        print_line(f"refused: {refusal.field_name}: {say(refusal.said)}", error=True)
        return 1
    print_line(f"for the authenticator app: {made.app_address}")
    print_line(f"recovery codes: {' '.join(made.recovery_codes)}")
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
    print_line(organizers.recover_organizer(application.uow_factory, asked.username))
    return 0


def _show_pictures(application: Application, asked: argparse.Namespace) -> int:
    found = accounts.save_pictures(application.uow_factory, asked.save)
    for one in found:
        print_line(
            f"{one.name} {one.made_at.isoformat(timespec='seconds')} {len(one.picture)} bytes"
        )
    print_line(f"{len(found)} pictures wait")
    return 0


def _judge_picture(application: Application, asked: argparse.Namespace) -> int:
    shown = asked.command == "pass-picture"
    accounts.judge_picture(application.uow_factory, asked.picture, shown=shown)
    print_line("shown" if shown else "refused")
    return 0


def _verify_audit(application: Application, asked: argparse.Namespace) -> int:
    return 0 if audit.verify_audit(application.uow_factory, asked.head, print_line) else 1


def _verify_final(application: Application, asked: argparse.Namespace) -> int:
    asked_for = (application.uow_factory, asked.contest, asked.public_key)
    return 0 if quiz.verify_final_ranks(*asked_for, print_line) else 1


def _apply_retention(application: Application, asked: argparse.Namespace) -> int:
    declared = slices.PERSONAL_DATA.order
    counts = apply_retention(application.uow_factory, declared, dry_run=asked.dry_run)
    for table, count in counts.items():
        print_line(f"{table}: {count}")
    return 0
