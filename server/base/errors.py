"""The refusals every floor may raise: a stable code with facts, never wording and never HTTP.

The web edge turns them into problem+json, the chat edge into a sentence; both look the words up.
"""

from __future__ import annotations

import errno
from typing import ClassVar

_STORAGE_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class AppError(Exception):
    """A refusal that a caller can act on; `facts` fill the places of its sentence."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, **facts: object) -> None:
        super().__init__(self.code)
        self.facts = facts

    def __str__(self) -> str:
        return self.code


class Malformed(AppError):
    """The request cannot be read at all."""

    code = "malformed"
    status = 400


class NotAuthenticated(AppError):
    """No caller, or a token that is dead."""

    code = "not_authenticated"
    status = 401


class Forbidden(AppError):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403


class NotFound(AppError):
    """There is no such thing for this caller."""

    code = "not_found"
    status = 404


class MethodNotAllowed(AppError):
    """The address exists, the method does not."""

    code = "method_not_allowed"
    status = 405


class Conflict(AppError):
    """A rule says no; every subclass has a code of its own."""

    code = "conflict"
    status = 409


class LengthRequired(AppError):
    """A body without a stated length at an edge that must bound it."""

    code = "length_required"
    status = 411


class BodyTooLarge(AppError):
    """The body is over the limit of this edge."""

    code = "body_too_large"
    status = 413


class UnsupportedMedia(AppError):
    """The body is not of a type that this edge reads."""

    code = "unsupported_media_type"
    status = 415


class Invalid(AppError):
    """The request can be read and is wrong.

    Units: `errors` is a tuple of (path of the field, what is wrong).
    """

    code = "invalid"
    status = 422

    def __init__(self, *errors: tuple[tuple[str | int, ...], str], **facts: object) -> None:
        super().__init__(**facts)
        self.errors = errors


class TooManyRequests(AppError):
    """The caller goes faster than the house allows.

    Units: `retry_after_seconds` whole seconds, at least 1.
    """

    code = "too_many_requests"
    status = 429

    def __init__(self, retry_after_seconds: int = 1, **facts: object) -> None:
        super().__init__(**facts)
        self.retry_after_seconds = max(1, retry_after_seconds)


class Unavailable(AppError):
    """A part that this answer needs is away; try again.

    Units: `retry_after_seconds` whole seconds, at least 1.
    """

    code = "unavailable"
    status = 503

    def __init__(self, retry_after_seconds: int = 2, **facts: object) -> None:
        super().__init__(**facts)
        self.retry_after_seconds = max(1, retry_after_seconds)


def is_storage_full(trouble: BaseException) -> bool:
    """Whether the operating system refused to write because a disk, quota or file is full."""
    return isinstance(trouble, OSError) and trouble.errno in _STORAGE_FULL
