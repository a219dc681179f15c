"""The error of a database that does not respond, and what is translated into it."""

from __future__ import annotations

from contextlib import AbstractContextManager

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.base.errors import Unavailable


class DatabaseAway(Unavailable):
    """The database does not respond, or not in time."""

    code = "database_away"


class _TranslatedErrors:
    """See `translate_errors`; it has no state, so one instance serves every transaction."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, trouble: BaseException | None, _traceback: object
    ) -> None:
        if isinstance(trouble, PoolTimeout):
            raise DatabaseAway from None
        if isinstance(trouble, DBAPIError) and (
            isinstance(trouble, OperationalError) or trouble.connection_invalidated
        ):
            raise DatabaseAway from trouble


_translated = _TranslatedErrors()


def translate_errors() -> AbstractContextManager[None]:
    """Translate errors of an unavailable, locked or exhausted database into DatabaseAway."""
    return _translated
