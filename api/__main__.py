"""`python -m api`: check the settings and serve.

`uvicorn api.app:app` works too, but then request headers have no limit, X-Forwarded-* headers of
any proxy on the same machine are trusted, and each process uses several NumPy threads.
"""

import gc
import os
import signal
import sys
from contextlib import suppress

import uvicorn
from pydantic import ValidationError
from uvicorn.config import STARTUP_FAILURE

from api.core.log_setup import logging_config
from api.core.metrics_folder import VARIABLE as METRICS_FOLDER
from api.core.metrics_folder import shared_metrics_folder
from api.core.process_tuning import keep_to_one_thread
from api.http.header_limit import HeaderLimitProtocol
from api.http.listening_socket import run_processes
from api.http.security.auth import check_bind_address
from api.settings import Settings, get_settings

# Hosting platforms send SIGKILL 30 s after SIGTERM. `drain_seconds` (1 by default) come first,
# and afterwards the background tasks and the recorder have 9 s to finish.
DRAIN_SECONDS = 20
# With WEB_CONCURRENCY, uvicorn kills a process that has not answered for this long. Its default of
# 5 s would end requests in a process that only waits for a busy core.
HEALTH_CHECK_SECONDS = 30


def main() -> int:
    try:
        settings = get_settings()
    except ValidationError as error:
        print(_format_errors(error), file=sys.stderr)
        return 1
    if refusal := check_bind_address(settings):
        print(refusal, file=sys.stderr)
        return 1
    try:
        with shared_metrics_folder():
            serve(settings)
    except OSError as error:
        if error.filename != os.environ.get(METRICS_FOLDER):
            raise
        print(
            f"{METRICS_FOLDER}={error.filename} cannot be used: {error.strerror}. Set it to a "
            "folder that the API can write to and that is empty at each start.",
            file=sys.stderr,
        )
        return 1
    return 0


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. WEB_CONCURRENCY sets the number of processes."""
    # Uvicorn raises SIGTERM again at the end, for this handler: the default would exit with -15.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: None)
    keep_to_one_thread()
    config = uvicorn.Config(
        "api.app:app",
        host=settings.host,
        port=settings.port,
        http=HeaderLimitProtocol,
        ws="none",
        log_config=logging_config(settings.log_level, settings.log_format),
        access_log=settings.access_log,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_worker_healthcheck=HEALTH_CHECK_SECONDS,
    )
    if config.workers > 1:
        gc.enable()  # This process now supervises the others for as long as they serve.
        run_processes(config)
        return
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):  # Uvicorn raises it again at the end.
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def _format_errors(error: ValidationError) -> str:
    lines = []
    for fault in error.errors(include_input=False, include_context=False):
        message = fault["msg"].removeprefix("Value error, ")
        if fault["loc"]:  # Otherwise the message itself names the variables.
            name = str(fault["loc"][0])
            # Pydantic reports aliases unchanged; they are in capitals.
            variable = name if name.isupper() else f"RIPELINE_{name.upper()}"
            message = f"{variable} cannot be used: {message}"
        lines.append(message)
    return "\n".join(lines)


if __name__ == "__main__":
    # Startup creates almost no garbage, and collecting it would take a tenth of the time. `api.app`
    # turns collection on again.
    gc.disable()
    sys.exit(main())
