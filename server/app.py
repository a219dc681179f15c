"""The only composition root: settings, log, database, Redis, WeChat, slices, endpoints."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from flask import Flask
from prometheus_client.core import Metric

from server import slices
from server.accounts import service as accounts
from server.activities import service as activities
from server.announcements import service as announcements
from server.announcements.slice import feed_pages, public_pages
from server.audit.service import latest_change, record_page
from server.base.clock import Clock, ShiftedClock, SystemClock
from server.base.database_away import DatabaseAway
from server.base.jobs import TaskContext, TaskQueue
from server.base.outbox_control import metric_families, read_figures
from server.base.redis.client import create_client
from server.base.redis.facilities import create_facilities
from server.base.settings import Settings
from server.base.signing import Keys
from server.base.sql.database import open_engine
from server.base.sql.patience import Use
from server.base.sql.schema import is_newest
from server.base.texts import load_texts
from server.base.uow import Dependencies, UnitOfWorkFactory
from server.base.web import metrics
from server.base.web.api_middleware import ApiMiddleware
from server.base.web.drawings import Drawings, kept_drawings
from server.base.web.endpoint import Api, Edge
from server.base.web.errors import install_error_handlers
from server.base.web.flask_app import new_flask, trust_proxies
from server.base.web.front_page import front_page
from server.base.web.health import Probes, health_pages
from server.base.web.host_check import HostCheck, own_host_names
from server.base.web.introduction import compose_introduction
from server.base.web.openapi import build_document, docs_pages
from server.base.web.page import Pages
from server.base.web.picture_pages import Finders, picture_pages
from server.base.web.request_frame import install_request_frame
from server.base.web.worker_figures import read_worker_figures
from server.callbacks import with_callbacks
from server.certificates.slice import verify_pages
from server.console.assets import Assets
from server.console.audit import AuditWriter
from server.console.form_session import install_form_session
from server.console.frame import Console, SessionResolver
from server.console.layout import Account as ConsoleAccount
from server.console.templates import Templates
from server.organizers import service as organizers
from server.quiz import service as quiz
from server.wechat.gateway import Gateway
from server.wechat.http_gateway import open_gateway

CONSOLE_ACCOUNT = ConsoleAccount(
    login="/console/login", logout="/console/logout", settings="/console/account"
)
# Minimum timeout of a Redis command in commands and jobs.
PATIENT_REDIS_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """Replacements for real dependencies in tests.

    Clock, randomness, WeChat, and the resolver of console sessions.
    """

    clock: Clock | None = None
    random: random.Random | None = None
    gateway: Gateway | None = None
    enqueue: Any = None
    signed_in: SessionResolver | None = None


@dataclass(frozen=True, kw_only=True)
class Application:
    """The opened dependencies, shared by web server, worker and commands."""

    app: Flask
    uow_factory: UnitOfWorkFactory
    gateway: Gateway
    settings: Settings

    @property
    def task_context(self) -> TaskContext:
        """The dependencies of background tasks."""
        return TaskContext(uow_factory=self.uow_factory, gateway=self.gateway, jobs=slices.JOBS)


def open_application(
    settings: Settings, overrides: Overrides | None = None, *, use: Use = Use.REQUESTS
) -> Application:
    """Open database, Redis and WeChat, without endpoints; only requests get the short timeouts."""
    overrides = overrides or Overrides()
    clock = overrides.clock or campaign_clock(settings)
    app = new_flask()
    engine = open_engine(app, settings, use)
    kv = create_client(
        settings.redis_url, settings.var, clock, timeout_seconds=redis_timeout(settings, use)
    )
    dependencies = Dependencies(
        settings=settings,
        clock=clock,
        kv=create_facilities(kv, clock),
        keys=Keys(settings.security.master_key),
        texts=load_texts(slices.TEXTS),
        hooks=slices.HOOKS,
        random=overrides.random or random.SystemRandom(),
        enqueue=overrides.enqueue or TaskQueue(kv).enqueue_task,
        system_clock=overrides.clock or SystemClock(),
    )
    uow_factory = UnitOfWorkFactory(engine, dependencies)
    patience = None if use is Use.REQUESTS else settings.wechat.worker_timeout_seconds
    gateway = overrides.gateway or open_gateway(
        settings.wechat,
        dependencies,
        uow_factory,
        total_seconds=patience,
        count=metrics.worker_calls if use is Use.JOBS else metrics.calls,
    )
    return Application(app=app, uow_factory=uow_factory, gateway=gateway, settings=settings)


def redis_timeout(settings: Settings, use: Use) -> float:
    """The timeout of a Redis command for one use of the database.

    Commands and jobs wait longer: a request can continue without Redis, but the rebuild of a big
    board would have to start again.
    Units: seconds.
    """
    timeout = settings.redis_timeout_seconds
    return timeout if use is Use.REQUESTS else max(timeout, PATIENT_REDIS_SECONDS)


def campaign_clock(settings: Settings) -> Clock:
    """The system clock; in the demo and in tests the clock that the emulated WeChat shifts."""
    return ShiftedClock(settings.var / "clock.json") if settings.emulated else SystemClock()


def install_apis(application: Application, apis: tuple[Api, ...], drawings: Drawings) -> None:
    """Install request ids, error handlers, these endpoints and their OpenAPI document."""
    app, uow_factory = application.app, application.uow_factory
    texts = uow_factory.dependencies.texts
    frame = install_request_frame(app, SystemClock(), uow_factory.dependencies.clock)
    install_error_handlers(app, texts)
    edge = Edge(
        uow_factory=uow_factory,
        gateway=application.gateway,
        resolve=accounts.resolve_token,
        drawings=drawings,
    )
    app.register_blueprint(edge.build_blueprint(apis))
    app.wsgi_app = ApiMiddleware(app.wsgi_app, edge.build_runners(apis), frame, texts)  # type: ignore[method-assign]
    trust_proxies(app, application.settings)
    told = compose_introduction(application.settings)
    app.register_blueprint(
        docs_pages(lambda: build_document(apis, title="八桂科普", version="1", introduction=told))
    )


def install_console(
    application: Application,
    tables: tuple[Pages, ...],
    resolve: SessionResolver,
    *,
    account: ConsoleAccount | None,
    audit: AuditWriter = record_page,
) -> None:
    """Install these pages of the console, their session and their files.

    Without `account`, a page refuses a visitor instead of redirecting to the log-in.
    """
    app, dependencies = application.app, application.uow_factory.dependencies
    install_form_session(app, application.settings, dependencies.keys)
    assets = Assets()
    app.register_blueprint(assets.build_blueprint())
    console = Console(
        uow_factory=application.uow_factory,
        tables=tables,
        templates=Templates(tables, dependencies.texts, assets),
        resolve=resolve,
        account=account,
        audit=audit,
        latest=latest_change,
        gateway=application.gateway,
        personal=frozenset(one.name for one in slices.PERSONAL_DATA.order),
    )
    app.register_blueprint(console.build_blueprint())


def create_app(settings: Settings, overrides: Overrides | None = None) -> Flask:
    """Create the web server's app."""
    application = open_application(settings, overrides)
    app, uow_factory = application.app, application.uow_factory
    install_apis(application, slices.APIS, Drawings(kept_drawings(settings)))
    app.register_blueprint(front_page(settings, uow_factory.dependencies.texts))
    pictures = Finders(
        public=accounts.public_picture,
        private=accounts.private_picture,
        named={
            "questions": quiz.picture_content,
            "activities": activities.poster_content,
            "announcements": announcements.picture_content,
            "activities/small": activities.small_poster_content,
        },
    )
    app.register_blueprint(picture_pages(uow_factory, pictures))
    app.register_blueprint(verify_pages(uow_factory))
    app.register_blueprint(feed_pages(uow_factory))
    app.register_blueprint(public_pages(uow_factory))
    app.register_blueprint(health_pages(_build_probes(application)))
    resolve = (overrides or Overrides()).signed_in
    resolve = resolve or organizers.SessionResolver(uow_factory).resolve_cookie
    install_console(application, slices.PAGES, resolve, account=CONSOLE_ACCOUNT)
    app.wsgi_app = with_callbacks(app.wsgi_app, uow_factory)  # type: ignore[method-assign]
    if settings.environment == "production":
        app.wsgi_app = HostCheck(app.wsgi_app, own_host_names(settings))  # type: ignore[method-assign]
    app.extensions["kepu"] = application
    return app


def _build_probes(application: Application) -> Probes:
    kv = application.uow_factory.dependencies.kv.kv
    counters = application.uow_factory.dependencies.kv.counters
    return Probes(
        uow_factory=application.uow_factory,
        migrated=lambda: is_newest(application.uow_factory.engine),
        degraded={"redis": kv.ping_server, "wechat": application.gateway.is_available},
        readings={
            **{
                name: _bind_reading(application.uow_factory, read)
                for name, read in slices.READINGS.items()
            },
            "kepu_wechat_token_age_seconds": application.gateway.token_age_seconds,
        },
        families=lambda: _queue_families(application.uow_factory),
        worker_sums=lambda: read_worker_figures(counters),
    )


def _queue_families(uow_factory: UnitOfWorkFactory) -> list[Metric]:
    try:
        with uow_factory.begin(read_only=True) as uow:
            return list(metric_families([read_figures(uow, one) for one in slices.QUEUES]))
    except DatabaseAway:
        return []


def _bind_reading(uow_factory: UnitOfWorkFactory, read: Any) -> metrics.Reading:
    def take_reading() -> float | None:
        try:
            with uow_factory.begin(read_only=True) as uow:
                return float(read(uow))
        except DatabaseAway:
            # The other metrics are still reported.
            return None

    return take_reading
