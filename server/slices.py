"""The map: what each slice offers, in one place. Importing this file loads every table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from server.accounts import api as accounts_api
from server.accounts import chat as accounts_chat
from server.accounts import service as accounts
from server.accounts import tasks as accounts_tasks
from server.base.jobs import Task
from server.base.upkeep import TASKS as UPKEEP
from server.base.web.auth import Resolver
from server.base.web.endpoint import Api
from server.base.web.picture_pages import Finders
from server.base.work import Hooks, Work
from server.channel import door
from server.channel import service as channel
from server.channel import tasks as channel_tasks
from server.notices import api as notices_api
from server.notices import chat as notices_chat
from server.notices import service as notices
from server.notices import tasks as notices_tasks
from server.programme import api as programme_api
from server.quiz import api as quiz_api
from server.quiz import chat as quiz_chat
from server.quiz import service as quiz
from server.quiz import tasks as quiz_tasks
from server.units import api as units_api

_FOLDERS = ("base", "wechat", "units", "accounts", "programme", "notices", "channel", "quiz")
TEXTS: tuple[Path, ...] = tuple(Path(__file__).parent / name for name in _FOLDERS)

APIS: tuple[Api, ...] = (
    accounts_api.API,
    units_api.API,
    programme_api.API,
    notices_api.API,
    quiz_api.API,
)
PICTURES = Finders(public=accounts.picture, private=accounts.private_picture)
RESOLVE: Resolver = accounts.resolve
HOOKS: Hooks = accounts.HOOKS + notices.HOOKS + channel.HOOKS + quiz.HOOKS
TASKS: tuple[Task, ...] = (
    *UPKEEP,
    *accounts_tasks.TASKS,
    *notices_tasks.TASKS,
    *channel_tasks.TASKS,
    *quiz_tasks.TASKS,
)
# What slices do with WeChat's events, and the answers that the conversation can ask of them.
HANDLERS: tuple[door.Handler, ...] = (*accounts_chat.HANDLERS, *notices_chat.HANDLERS)
ANSWERS: Mapping[str, Callable[[Work, int | None], str]] = quiz_chat.ANSWERS
READINGS: Mapping[str, Callable[[Work], float]] = {
    f"kepu_{name}": read for name, read in {**channel.READINGS, **quiz.READINGS}.items()
}
