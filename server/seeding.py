"""What the demo holds at its first start: campaign, bank, one open contest, replies, menu.

Each step is the same command that an operator runs by hand, and does nothing the second time.
"""

from __future__ import annotations

import logging

from server.app import House
from server.base.schema import migrate
from server.base.settings import ROOT
from server.channel import commands as channel
from server.channel.errors import RepliesRefused
from server.programme import commands as programme
from server.quiz import commands as quiz

_log = logging.getLogger(__name__)
FACTS = ROOT / "config" / "campaign" / "2020"


class SeedingRefused(Exception):
    """A file of the demo was refused; the message lists the reasons."""


def seed(house: House) -> None:
    """Bring the database to the newest schema and load what the demo shows.

    Raises: SeedingRefused.
    """
    migrate(house.desk.engine)
    loaded = programme.load_campaign(house.desk, FACTS / "campaign.json", shift=True)
    _refuse("campaign.json", loaded.problems)
    bank = quiz.import_questions(house.desk, FACTS / "questions.csv")
    _refuse("questions.csv", bank.problems)
    quiz.open_demo_contest(house.desk)
    try:
        channel.seed_replies(house.desk)
    except RepliesRefused as refusal:
        raise SeedingRefused(str(refusal)) from None


def seed_wechat(house: House) -> None:
    """Push the menu and make the poster's code; needs WeChat, emulated or not."""
    channel.push_menu(house.desk, house.gateway)
    channel.scene_code(house.desk, house.gateway, "contest")


def _refuse(name: str, problems: object) -> None:
    if problems:
        raise SeedingRefused(f"{name}: {problems}")
