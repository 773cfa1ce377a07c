"""Log lines are JSON or plain text, and tracebacks contain no secrets."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from api.core.log_setup import line_formatter, logging_config, without_native_line
from api.settings import PROJECT

NO_FIELDS: Mapping[str, str] = MappingProxyType({})


def format_message(as_json: bool, message: str, fields: Mapping[str, str] = NO_FIELDS) -> str:
    record = logging.LogRecord("api.x", logging.WARNING, __file__, 1, message, (), None)
    return line_formatter(as_json, fields).format(record)


def exception_line(as_json: bool) -> str:
    """The log line of an exception raised in a frame with a secret."""
    password = "the-word-nobody-may-read"  # noqa: S105
    try:
        raise RuntimeError(len(password))
    except RuntimeError:
        record = logging.LogRecord("api.x", logging.ERROR, __file__, 1, "No", (), sys.exc_info())
    return line_formatter(as_json, {}).format(record)


def test_json_line_escapes_the_message() -> None:
    line = format_message(True, 'two\nlines, "quotes" and \x1b[31mcolour')
    assert line.isprintable()
    record = json.loads(line)
    assert (record["level"], record["logger"]) == ("warning", "api.x")
    assert record["message"].startswith("two\nlines")
    assert record["timestamp"].endswith("Z")
    assert "request_id" not in record


def test_empty_process_fields_are_left_out() -> None:
    record = json.loads(format_message(True, "x", {"run_id": "7", "request_id": ""}))
    assert record["run_id"] == "7"
    assert "request_id" not in record


@pytest.mark.parametrize("as_json", [True, False])
def test_traceback_shows_no_local_variables(as_json: bool) -> None:
    line = exception_line(as_json)
    assert "RuntimeError" in line
    assert "the-word" not in line.replace('password = "the-word-nobody-may-read"', "")


def test_text_line_has_message_logger_and_fields() -> None:
    assert format_message(False, "Ready.", {"run_id": "7"}).endswith("] Ready. [api.x] run_id=7")


@pytest.mark.parametrize(
    ("level", "own", "libraries"),
    [("debug", "DEBUG", "WARNING"), ("info", "INFO", "WARNING"), ("error", "ERROR", "ERROR")],
)
def test_level_applies_to_our_loggers_and_libraries_only_warn(
    level: str, own: str, libraries: str
) -> None:
    config = logging_config(level, "json")  # type: ignore[arg-type]
    assert config["loggers"]["api"]["level"] == config["loggers"]["uvicorn"]["level"] == own
    assert config["root"]["level"] == libraries


@pytest.mark.slow
def test_auto_format_is_json_without_a_terminal() -> None:
    code = (
        "import logging; from api.core.log_setup import configure_logging; "
        "configure_logging('info', 'auto', run_id='7'); "
        "logging.getLogger('api.x').info('Ready.'); logging.getLogger('botocore').info('Noise.')"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert [json.loads(line)["message"] for line in process.stderr.splitlines()] == ["Ready."]


def test_only_the_given_native_line_is_suppressed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with without_native_line(b"Created delegate"):
        os.write(2, b"INFO: Created delegate for CPU.\nsomething else\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "something else\nafter\n"


def test_console_line_is_one_line_without_terminal_escapes() -> None:
    line = format_message(False, "a\r\n12:00:00 [info] forged \x1b[2J\x9b1m\u2028\u202egpj.exe")
    assert len(line.splitlines()) == 1
    assert "\\x1b[2J\\x9b1m\\u2028\\u202egpj.exe" in line


def test_error_text_cannot_forge_a_log_line() -> None:
    try:
        raise RuntimeError("bad\n12:00:00 [info] forged \x1b[2J")
    except RuntimeError:
        record = logging.LogRecord("api.x", logging.ERROR, __file__, 1, "No", (), sys.exc_info())
    _, *traceback = line_formatter(False, {}).format(record).splitlines()
    assert traceback
    assert all(line.startswith("    ") for line in traceback)
    assert any("forged \\x1b[2J" in line for line in traceback)
