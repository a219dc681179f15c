"""The database engine, created by Flask-SQLAlchemy; tables and sessions are our own.

Only `base/uow.py` opens sessions.
"""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine

from server.base.settings import Settings
from server.base.sql.patience import Use, WaitPatience, bounds_for
from server.base.sql.postgres import connect_arguments
from server.base.sql.tables import Base
from server.base.sql.transaction import prepare_engine

db = SQLAlchemy(metadata=Base.metadata)


def open_engine(app: Flask, settings: Settings, use: Use = Use.REQUESTS) -> Engine:
    """Create the engine of this app, with our transactions and with bounded waits for its use."""
    url = settings.database_address
    patience = WaitPatience(bounds_for(use, settings.database))
    options: dict[str, Any] = {
        "pool_size": settings.database.pool_size,
        "max_overflow": 0,
        # LIFO, because the connection used last has its pages and statements cached. In FIFO order
        # each SQLite writer would get a connection whose cache an earlier write has made stale.
        "pool_use_lifo": True,
        "pool_timeout": patience.bounds.client,
        "pool_recycle": 1800,
        # Every user ends its own transaction, so the pool need not roll back again.
        "pool_reset_on_return": None,
        "json_serializer": _to_json,
        "json_deserializer": msgspec.json.decode,
    }
    if url.startswith("postgresql"):
        options["connect_args"] = connect_arguments(patience.bounds)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    prepare_engine(engine, patience)
    return engine


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
