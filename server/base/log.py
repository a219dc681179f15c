"""JSON log lines with a request id, on the console and in `$KEPU_VAR/log`, without personal data.

Only listed fields are written; callers log an openid as its pseudonym.
"""

from __future__ import annotations

import contextvars
import logging
import logging.handlers
import sys
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from server.base.private import keep_private

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="-")

_MADE = "kepu_line"
_OURS, _GUNICORN = ("server", "kepu"), "gunicorn"
# Other attributes of a record are not written.
FIELDS = (
    "path",
    "method",
    "status",
    "ms",
    "code",
    "task",
    "outcome",
    "count",
    "rule",
    "person",
    "errcode",
    "rid",
)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object per line."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; JSON escapes its line breaks."""
        # Console and file have the same format, so the text is built once.
        made: str | None = getattr(record, _MADE, None)
        if made is None:
            made = self._make_line(record)
            setattr(record, _MADE, made)
        return made

    def access_line(self, logger: str, facts: dict[str, object]) -> str:
        """The log line of a response, equal to that of a record with these facts."""
        line: dict[str, object] = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),  # noqa: TID251 - a log line
            "level": "INFO",
            "process": self._process,
            "logger": logger,
            "request_id": request_id.get(),
            "event": "answered",
            **facts,
        }
        return msgspec.json.encode(line).decode()

    def _make_line(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "request_id": request_id.get(),
            "event": _event_of(record),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            line["trace"] = _places_of(record.exc_info[1])
        return msgspec.json.encode(line, enc_hook=str).decode()


def _event_of(record: logging.LogRecord) -> str:
    """The event of a record; for a library without its arguments, which may be personal."""
    if record.name.partition(".")[0] in (*_OURS, _GUNICORN):
        return record.getMessage()
    return str(record.msg)


class _Dropping(logging.Handler):
    """A handler that drops a line when the disk is full.

    The default handler would print the whole record with its arguments, personal data included.
    """

    def write_line(self, words: str) -> None:
        """Write a formatted line as `emit` would write a record."""
        with self.lock or nullcontext():
            try:
                self.put_line(words)
            except Exception:
                self.handleError(None)

    def put_line(self, words: str) -> None:
        """Write and flush; the caller holds the lock."""
        raise NotImplementedError

    def handleError(self, _record: logging.LogRecord | None) -> None:  # noqa: N802 - logging's own name
        """Report the lost line on the console, if possible."""
        kind = type(sys.exc_info()[1]).__name__
        with suppress(OSError):
            sys.stderr.write(f'{{"level":"ERROR","event":"a log line is lost: {kind}"}}\n')


class _Console(_Dropping, logging.StreamHandler):  # type: ignore[type-arg]  # its own is a text file
    def put_line(self, words: str) -> None:
        self.stream.write(words)
        self.stream.flush()


class _File(_Dropping, logging.handlers.WatchedFileHandler):
    def put_line(self, words: str) -> None:
        self.reopenIfNeeded()
        if self.stream is None:
            self.stream = self._open()
        self.stream.write(words)
        self.stream.flush()


def _places_of(trouble: BaseException) -> list[str]:
    """Type and stack of an exception; its message may contain a value and is left out."""
    places = [type(trouble).__name__]
    step = trouble.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    cause = trouble.__cause__
    return places + (["caused by", *_places_of(cause)] if cause is not None else [])


def set_up_logging(var: Path, process: str, level: str, console: bool = True) -> None:
    """Send this process's log to `$KEPU_VAR/log/<process>.log`, private, and to the console.

    The level applies to our own loggers. Libraries log only warnings, even at DEBUG, because their
    lines contain full addresses, statements and values.
    """
    keep_private(var)
    folder = var / "log"
    folder.mkdir(parents=True, exist_ok=True)
    lines = JsonLines(process)
    handlers: list[logging.Handler] = [_File(folder / f"{process}.log", encoding="utf-8")]
    if console:
        handlers.append(_Console())
    for handler in handlers:
        handler.setFormatter(lines)
    logging.basicConfig(level=logging.WARNING, handlers=handlers, force=True)
    for ours in _OURS:
        logging.getLogger(ours).setLevel(level)
    # gunicorn's INFO lines report starts and ends of processes; its DEBUG lines contain settings
    # and requests.
    logging.getLogger(_GUNICORN).setLevel(max(logging.INFO, logging.getLogger(_OURS[0]).level))


_access = logging.getLogger("kepu.access")


def write_answered(method: str, route: str, status: int, milliseconds: float) -> None:
    """Write the log line of one response.

    The line equals that of `logging`, but is built once and without a record, to save time in every
    request. With other handlers attached, as in tests, `logging` writes it.
    """
    if not _access.isEnabledFor(logging.INFO):
        return
    facts: dict[str, object] = {
        "path": route,
        "method": method,
        "status": status,
        "ms": milliseconds,
    }
    handlers = logging.getLogger().handlers
    formatter = handlers[0].formatter if handlers else None
    ours = [handler for handler in handlers if isinstance(handler, _Dropping)]
    if len(ours) != len(handlers) or not isinstance(formatter, JsonLines):
        _access.info("answered", extra=facts)
        return
    words = formatter.access_line(_access.name, facts) + "\n"
    for handler in ours:
        handler.write_line(words)
