"""API types of reports about questions."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from server.base.web.schema import In


class ReportIn(In, frozen=True, kw_only=True):
    """A fault of a question."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
