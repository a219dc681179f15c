"""API types of appeals."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from server.base.web.schema import In


class AppealIn(In, frozen=True, kw_only=True):
    """An appeal: the reason why the result should count."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
