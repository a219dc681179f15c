"""JSON log lines with a request id, on the console and in `$KEPU_VAR/log`, without personal data.

Only listed fields are written; an openid is logged as its pseudonym by whoever has one to tell.
"""

from __future__ import annotations

import contextvars
import logging
import logging.handlers
from datetime import UTC, datetime
from pathlib import Path

import msgspec

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="-")

_MADE = "kepu_line"
# Whatever else somebody attaches to a record stays out of the log.
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
    """One JSON object a line."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; line breaks in it are escaped by JSON."""
        # Console and file say the same, so what was made for the one serves the other.
        made: str | None = getattr(record, _MADE, None)
        if made is None:
            made = self._made(record)
            setattr(record, _MADE, made)
        return made

    def _made(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "request_id": request_id.get(),
            "event": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            line["trace"] = _places(record.exc_info[1])
        return msgspec.json.encode(line, enc_hook=str).decode()


def _places(trouble: BaseException) -> list[str]:
    """Kind and places of an exception; its message may hold a value and stays out."""
    places = [type(trouble).__name__]
    step = trouble.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    cause = trouble.__cause__
    return places + (["caused by", *_places(cause)] if cause is not None else [])


def set_up_logging(var: Path, process: str, level: str) -> None:
    """Send this process's log to the console and to `$KEPU_VAR/log/<process>.log`."""
    folder = var / "log"
    folder.mkdir(parents=True, exist_ok=True)
    lines = JsonLines(process)
    console = logging.StreamHandler()
    kept = logging.handlers.WatchedFileHandler(folder / f"{process}.log", encoding="utf-8")
    for handler in (console, kept):
        handler.setFormatter(lines)
    logging.basicConfig(level=level, handlers=[console, kept], force=True)
    # Their debug lines hold whole addresses with secrets in the query.
    for noisy in ("urllib3", "requests", "huey", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
