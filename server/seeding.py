"""Sample data of the demo at its first start: campaign, bank, one open contest, replies, menu.

Each step is a command that operators can also run, and does nothing when repeated.
"""

from __future__ import annotations

import hashlib
import logging

from sqlalchemy import Engine, inspect, text

from server.app import Application
from server.base.settings import ROOT
from server.base.sql.schema import migrate_database
from server.channel import commands as channel
from server.channel.errors import RepliesRefused
from server.organizers import commands as organizers
from server.programme import commands as programme
from server.quiz import service as quiz

_log = logging.getLogger(__name__)
_NOTE = "demo-database"
FACTS = ROOT / "config" / "campaign" / "2020"


class SeedingRefused(Exception):
    """Nothing was seeded: the database is not the demo's, or a file was refused."""


def seed_samples(application: Application) -> None:
    """Migrate the database and load the sample data.

    Raises: SeedingRefused.
    """
    _refuse_foreign_place(application)
    migrate_database(application.uow_factory.engine)
    loaded = programme.load_campaign(application.uow_factory, FACTS / "campaign.json", shift=True)
    _refuse_file("campaign.json", loaded.problems)
    bank = quiz.import_questions(application.uow_factory, FACTS / "questions.csv")
    _refuse_file("questions.csv", bank.problems)
    quiz.open_demo_contest(
        application.uow_factory, season=application.settings.demo_season == "full"
    )
    organizers.seed_demo_organizers(application.uow_factory, application.settings.var)
    try:
        channel.seed_replies(application.uow_factory)
    except RepliesRefused as refusal:
        raise SeedingRefused(str(refusal)) from None


def seed_wechat(application: Application) -> None:
    """In the emulated WeChat, push the menu and create the poster's code.

    Raises: SeedingRefused.
    """
    _refuse_environment(application)
    channel.push_menu(application.uow_factory, application.gateway)
    channel.scene_code(application.uow_factory, application.gateway, "contest")


def _refuse_environment(application: Application) -> None:
    if application.settings.environment != "demo":
        raise SeedingRefused(
            f"nothing is seeded where environment is {application.settings.environment}"
        )


def _refuse_foreign_place(application: Application) -> None:
    """Before any migration, refuse a database that contains more than this folder's demo.

    A file in the folder records which database was seeded.
    """
    _refuse_environment(application)
    settings = application.settings
    note, name = settings.var / _NOTE, settings.database_address
    mark = hashlib.sha256(name.encode()).hexdigest()
    if note.is_file() and note.read_text(encoding="utf-8").strip() == mark:
        return
    slugs, citizens = _what_lives_in(application.uow_factory.engine)
    # A demo from before that file existed.
    older_demo = not settings.database_url and slugs <= {quiz.DEMO_CONTEST}
    if (slugs or citizens) and not older_demo:
        raise SeedingRefused(
            "database_url: this database holds a contest or citizens that are not of this demo"
        )
    note.write_text(f"{mark}\n", encoding="utf-8")


def _what_lives_in(engine: Engine) -> tuple[set[str], bool]:
    """The slugs of the contests, and whether there are citizens; works before all migrations."""
    with engine.connect() as connection:
        if not {"contest", "citizen"} <= set(inspect(connection).get_table_names()):
            return set(), False
        slugs = set(connection.execute(text("SELECT slug FROM contest")).scalars())
        return slugs, connection.execute(text("SELECT 1 FROM citizen LIMIT 1")).first() is not None


def _refuse_file(name: str, problems: object) -> None:
    if problems:
        raise SeedingRefused(f"{name}: {problems}")
