"""Puts WeChat's callbacks in front of the web framework, with the handlers of all slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server import slices
from server.base.clock import SystemClock
from server.base.group_commit import GroupCommit
from server.base.uow import UnitOfWorkFactory
from server.base.web import metrics
from server.channel import callback_handler
from server.wechat.callback.deadline_runner import DeadlineRunner
from server.wechat.callback.inbound import Envelope
from server.wechat.callback.webhook import Webhook

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

OFFICIAL = "/wechat/official/callback"
MINI_PROGRAM = "/wechat/miniprogram/callback"


def with_callbacks(next_app: WSGIApplication, uow_factory: UnitOfWorkFactory) -> Webhook:
    """Wrap the app with both callbacks."""
    wechat = uow_factory.dependencies.settings.wechat
    # WeChat signs with real time, so freshness uses the system clock, not the campaign's.
    machine = SystemClock()
    once = uow_factory.dependencies.kv.once
    window = wechat.callback_window_seconds
    official = Envelope("official_account", wechat.official_account, machine, window_seconds=window)
    mini = Envelope("mini_program", wechat.mini_program, machine, window_seconds=window)
    events = callback_handler.Events(
        handlers=slices.HANDLERS, idle=slices.IDLE_EVENTS, reports=_open_stores(uow_factory)
    )
    handlers = {
        OFFICIAL: callback_handler.official_account_handler(
            uow_factory, official, answers=slices.ANSWERS, events=events
        ),
        MINI_PROGRAM: callback_handler.mini_program_handler(uow_factory, mini, events),
    }
    return Webhook(
        next_app,
        handlers,
        once,
        machine,
        deadline_runner=DeadlineRunner(
            once,
            answer_seconds=wechat.callback_answer_seconds,
            remember_seconds=2 * window,
            count_late=lambda outcome: metrics.CALLBACKS.labels(OFFICIAL, outcome).inc(),
        ),
        observe=_observe_callback,
    )


def _open_stores(uow_factory: UnitOfWorkFactory) -> list[tuple[str, GroupCommit]]:
    """The stores of reports: one for all events of a function, and for both callbacks."""
    stores = {store: GroupCommit(uow_factory, store) for _, store in slices.REPORTS}
    return [(event, stores[store]) for event, store in slices.REPORTS]


def _observe_callback(path: str, outcome: str, seconds: float) -> None:
    metrics.callbacks(path, outcome).inc()
    metrics.callback_seconds(path).observe(seconds)
