"""Complete peers: other stacks that do the same work as ours on the same tables and Redis.

They share the contest's pure rules (rules.py) and the boards' scripts (boards.py), import nothing
of the product, and are held to the same checks as the product. What they leave out is told in
docs/performance.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.processes import Command, gthread, production, uvicorn


@dataclass(frozen=True)
class Peer:
    """One stack: its application, and the server program that runs it."""

    title: str
    app: str
    command: Command


PEERS = {
    "flask": Peer("Flask, SQLAlchemy ORM, redis-py", "tests.bench.peers.flask_app:create_app()",
                  gthread),
    "fastapi": Peer("FastAPI, SQLAlchemy Core, asyncpg, redis.asyncio",
                    "tests.bench.peers.fastapi_app:create_app", uvicorn),
    "bound": Peer("plain WSGI, driver and Redis", "tests.bench.peers.bound:create_app()",
                  production),
}  # fmt: skip
