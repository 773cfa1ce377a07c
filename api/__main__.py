"""The service as it is run: `python -m api --host 0.0.0.0 --port 8000`.

The same as `uvicorn api.app:app`, without a line in the log for every request, with a time to
finish what is under way on SIGTERM, and with exit code 0 after that.
"""

import argparse
import os
import signal

import uvicorn

# Hosts give 30 seconds between SIGTERM and SIGKILL.
FINISH_SECONDS = 25


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m api", description="Run the API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
    parser.add_argument("--workers", type=int, help="processes; default WEB_CONCURRENCY, or one")
    parser.add_argument("--access-log", action="store_true", help="log every request")
    chosen = parser.parse_args()
    # What uvicorn finds as handler it calls when all is done: by default that ends with -15.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: None)
    uvicorn.run(
        "api.app:app",
        host=chosen.host,
        port=chosen.port,
        workers=chosen.workers,
        access_log=chosen.access_log,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )


if __name__ == "__main__":
    main()
