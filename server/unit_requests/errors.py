"""Refusals of requests for units."""

from __future__ import annotations

from server.base.errors import AlreadyDone, Conflict


class UnitNameRefused(Conflict):
    """WeChat's content check refused the name."""

    code = "unit_name_refused"


class UnitListed(Conflict):
    """An open unit of this place has exactly this name already."""

    code = "unit_listed"


class EnoughRequests(Conflict):
    """This citizen has as many unanswered requests as one may have."""

    code = "enough_requests"


class RequestAnswered(AlreadyDone):
    """Somebody has answered the request meanwhile."""

    code = "request_answered"
