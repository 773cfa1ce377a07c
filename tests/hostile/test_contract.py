"""Schemathesis: the API's responses match its OpenAPI document. It runs with all checks, and with
keys, so that it also tests requests without one. RIPELINE_CONTRACT_EXAMPLES is the number of random
examples for each operation (`make hostile`: 60; default: 3), besides those for every bound and
wrong type.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from api.settings import PROJECT
from tests.hostile.serving import serving
from tests.http.security.conftest import CHANGE_KEY, PREDICT_KEY
from tests.waiting import ANSWER_SECONDS

pytestmark = pytest.mark.slow

EXAMPLES = os.environ.get("RIPELINE_CONTRACT_EXAMPLES")
AMOUNT = ("--max-examples", EXAMPLES) if EXAMPLES else ("--phases=fuzzing", "--max-examples=3")
SEED = os.environ.get("RIPELINE_HOSTILE_SEED", "1")
MINUTES = 30


def test_responses_match_the_openapi_document(tmp_path: Path) -> None:
    keys = {"RIPELINE_CHANGE_KEYS": CHANGE_KEY, "RIPELINE_PREDICT_KEYS": PREDICT_KEY}
    with serving(keys) as served:
        result = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{served.url}/openapi.json"),
                *("--header", f"Authorization: Bearer {CHANGE_KEY}", "--checks", "all"),
                *(*AMOUNT, "--seed", SEED, "--continue-on-failure"),
                # As many photos as a request may have take longer than the default of ten seconds.
                *("--request-timeout", str(ANSWER_SECONDS)),
                *("--max-response-time", str(ANSWER_SECONDS)),
            ],
            cwd=tmp_path,  # It writes files there.
            env={
                **os.environ,
                "PYTHONPATH": str(PROJECT),
                "SCHEMATHESIS_HOOKS": "tests.hostile.knowledge",
            },
            capture_output=True,
            text=True,
            timeout=MINUTES * 60,
            check=False,
        )
        assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-2000:]
        # All operations were tested.
        assert re.search(r"Selected: +(\d+)/\1\s+Tested: +\1\s", result.stdout), result.stdout
        assert "Traceback" not in served.log_text()
        print("\n".join(result.stdout.splitlines()[-8:]))
