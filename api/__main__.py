"""`python -m api`: start the service where the settings say, or say why it must not.

`uvicorn api.app:app` serves as well, but bounds no request's head, believes what a proxy on the
same machine says of its clients, and lets NumPy have threads of its own.
"""

import signal
import sys

import uvicorn
from pydantic import ValidationError

from api.core.log_setup import logging_config
from api.core.process_tuning import keep_to_one_thread
from api.http.header_limit import HeaderLimitProtocol
from api.http.security.auth import check_bind_address
from api.settings import Settings, get_settings

# Hosts send SIGTERM, and end a process half a minute later.
DRAIN_SECONDS = 25


def main() -> int:
    try:
        settings = get_settings()
    except ValidationError as error:
        print(_in_words(error), file=sys.stderr)
        return 1
    if why := check_bind_address(settings):
        print(why, file=sys.stderr)
        return 1
    serve(settings)
    return 0


def serve(settings: Settings) -> None:
    """Serve until the process is told to end. WEB_CONCURRENCY is the number of processes."""
    # What uvicorn finds as handler it calls when all is done: by default that ends with -15.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: None)
    keep_to_one_thread()
    uvicorn.run(
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
    )


def _in_words(error: ValidationError) -> str:
    return "\n".join(
        f"{_variable(fault['loc'])} cannot be used: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_input=False, include_context=False)
    )


def _variable(place: tuple[int | str, ...]) -> str:
    """Of the environment; those with a name of their own come with it."""
    name = str(place[0])
    return name if name.isupper() else f"RIPELINE_{name.upper()}"


if __name__ == "__main__":
    sys.exit(main())
