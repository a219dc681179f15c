"""Errors that every layer may raise: a stable code with facts, without wording and HTTP.

The web layer turns them into problem+json, the chat layer into a text; both look up the wording.
"""

from __future__ import annotations

import errno
from typing import ClassVar

_STORAGE_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class AppError(Exception):
    """An error that a caller can act on; `facts` fill the placeholders of its text."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, **facts: object) -> None:
        super().__init__(self.code)
        self.facts = facts

    def __str__(self) -> str:
        return self.code


class Malformed(AppError):
    """The request cannot be parsed."""

    code = "malformed"
    status = 400


class UnknownHost(AppError):
    """The request is for a host name that is not the service's."""

    code = "unknown_host"
    status = 400


class NotAuthenticated(AppError):
    """No token, or an invalid one."""

    code = "not_authenticated"
    status = 401


class Forbidden(AppError):
    """The caller is authenticated, but may not do this."""

    code = "forbidden"
    status = 403


class NotFound(AppError):
    """The resource does not exist for this caller."""

    code = "not_found"
    status = 404


class MethodNotAllowed(AppError):
    """The path exists, but not for this method."""

    code = "method_not_allowed"
    status = 405


class Conflict(AppError):
    """A business rule refuses the request; every subclass has its own code."""

    code = "conflict"
    status = 409


class AlreadyDone(Conflict):
    """The object has left the state in which the caller saw it: somebody else may have acted.

    `about` is the public id of a further object whose changes explain it, `path` its page in the
    console below /console; both are for organizers and are not sent to citizens.
    """

    code = "already_done"

    def __init__(self, *, about: str = "", path: str = "", **facts: object) -> None:
        super().__init__(**facts)
        self.about = about
        self.path = path


class LengthRequired(AppError):
    """A body without Content-Length where the size must be limited."""

    code = "length_required"
    status = 411


class BodyTooLarge(AppError):
    """The body exceeds the size limit of this endpoint."""

    code = "body_too_large"
    status = 413


class UnsupportedMedia(AppError):
    """The body has a content type that this endpoint does not read."""

    code = "unsupported_media_type"
    status = 415


class Invalid(AppError):
    """The request can be parsed, but is invalid.

    `errors` is a tuple of (path of the field, reason).
    """

    code = "invalid"
    status = 422

    def __init__(self, *errors: tuple[tuple[str | int, ...], str], **facts: object) -> None:
        super().__init__(**facts)
        self.errors = errors


class TooManyRequests(AppError):
    """The caller exceeds a rate limit.

    Units: `retry_after_seconds` whole seconds, at least 1.
    """

    code = "too_many_requests"
    status = 429

    def __init__(self, retry_after_seconds: int = 1, **facts: object) -> None:
        super().__init__(**facts)
        self.retry_after_seconds = max(1, retry_after_seconds)


class Unavailable(AppError):
    """A required component is unavailable; retry later.

    Units: `retry_after_seconds` whole seconds, at least 1.
    """

    code = "unavailable"
    status = 503

    def __init__(self, retry_after_seconds: int = 2, **facts: object) -> None:
        super().__init__(**facts)
        self.retry_after_seconds = max(1, retry_after_seconds)


def is_storage_full(trouble: BaseException) -> bool:
    """Whether a write failed because a disk, quota or file is full."""
    return isinstance(trouble, OSError) and trouble.errno in _STORAGE_FULL
