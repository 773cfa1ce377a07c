"""Logging of every process: JSON lines in containers, readable lines on a terminal.

Modules log with the standard library, and structlog formats the lines. Each has the id of its
request (`request_id`) and, in the process of a retraining run, the id of the run (`run_id`).
"""

import io
import logging.config
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TextIO

from asgi_correlation_id import correlation_id

from api.core.formatting import is_unsafe

if TYPE_CHECKING:
    from structlog.stdlib import ProcessorFormatter
    from structlog.typing import EventDict, ExcInfo, Processor

LogFormat = Literal["auto", "json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]
ACCESS_LOGGER = "uvicorn.access"


def configure_logging(level: LogLevel, log_format: LogFormat, **fields: str) -> None:
    """Log to stderr from now on. Every line of the process carries the `fields` that are not empty.

    `auto` is `console` where stderr is a terminal, and `json` elsewhere.
    """
    access = logging.getLogger(ACCESS_LOGGER)
    had_access_log = access.hasHandlers()
    logging.config.dictConfig(logging_config(level, log_format, **fields))
    # `uvicorn --no-access-log` took its handlers away; dictConfig would let it propagate again.
    access.propagate = had_access_log


def logging_config(level: LogLevel, log_format: LogFormat, **fields: str) -> dict[str, Any]:
    """The same for `logging.config`, picklable: uvicorn hands it to each of its processes.

    `level` applies to our own lines and to the server's. Libraries log only warnings and errors.
    """
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    libraries = "ERROR" if level == "error" else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": f"{__name__}.line_formatter", "as_json": as_json, "fields": fields}
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": libraries, "handlers": ["stderr"]},
        "loggers": {
            "api": {"level": level.upper()},
            "uvicorn": {"level": level.upper(), "handlers": [], "propagate": True},
            # It warns of every request id that it rejects, and any client can send one.
            "asgi_correlation_id": {"level": "ERROR"},
        },
    }


def line_formatter(as_json: bool, fields: Mapping[str, str]) -> "ProcessorFormatter":
    """Formats a log record as one JSON object, or as a line for people.

    JSON has `timestamp` (ISO 8601, UTC), `level`, `logger`, `message`, and where there is one
    `request_id`, `run_id` and `exception`, the traceback.
    """
    # Imported here, when a process starts: merely importing the app should not wait for it.
    import structlog  # noqa: PLC0415
    from structlog import processors as steps  # noqa: PLC0415
    from structlog.stdlib import ProcessorFormatter, add_logger_name  # noqa: PLC0415

    known = {name: value for name, value in fields.items() if value}

    def add_ids(_logger: object, _method: str, event: "EventDict") -> "EventDict":
        if request_id := correlation_id.get():
            event["request_id"] = request_id
        event.update(known)
        return event

    chain: list[Processor] = [
        steps.TimeStamper("iso") if as_json else steps.TimeStamper("%H:%M:%S", utc=False),
        steps.add_log_level,
        add_logger_name,
        structlog.contextvars.merge_contextvars,
        add_ids,
        ProcessorFormatter.remove_processors_meta,
    ]
    if as_json:
        chain += [steps.format_exc_info, steps.EventRenamer("message"), steps.JSONRenderer()]
    else:
        # The default traceback shows local variables, among them keys and passwords.
        console = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=0,
            exception_formatter=_indented_traceback,
        )
        chain += [_escape_values, console]
    return ProcessorFormatter(processors=chain)


def _escape_values(_logger: object, _method: str, event: "EventDict") -> "EventDict":
    return {
        name: escape_unsafe(value) if isinstance(value, str) else value
        for name, value in event.items()
    }


def escape_unsafe(text: str) -> str:
    """`text` on one line, with terminal escapes and other unsafe characters as `\\x1b`.

    Messages may quote what a client sent, such as a file name.
    """
    return "".join(
        letter.encode("unicode_escape").decode() if is_unsafe(letter) else letter for letter in text
    )


def _indented_traceback(stream: TextIO, exception: "ExcInfo") -> None:
    """Indented, so that no line of an error's text can pass for a line of the log."""
    # Imported when a process starts, as above.
    from structlog.dev import plain_traceback  # noqa: PLC0415

    text = io.StringIO()
    plain_traceback(text, exception)
    for line in text.getvalue().splitlines():
        stream.write(f"\n    {escape_unsafe(line)}")


@contextmanager
def without_native_line(text: bytes) -> Iterator[None]:
    """Keep lines with `text`, which native code writes straight to stderr, out of the log.

    All other lines written meanwhile follow at the end. Not for two threads at once.
    """
    with tempfile.TemporaryFile() as held:
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            os.write(2, b"".join(line for line in held if text not in line))
