"""docs/openapi.json is up to date, and none of its paths hides another."""

import json
from itertools import permutations

from api.http.deps import RESERVED
from scripts.openapi import FILE, described


def test_committed_openapi_document_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == described(), "run: make openapi"


def test_no_fixed_path_hides_a_name() -> None:
    """With both `/thresholds/copy` and `/thresholds/{fruit}`, a fruit could not be named "copy"."""
    paths = [path.split("/") for path in json.loads(described())["paths"]]
    hidden = [
        ("/".join(fixed), "/".join(named))
        for fixed, named in permutations(paths, 2)
        if len(fixed) == len(named)
        and all(
            b == a or (b.startswith("{") and a not in RESERVED)
            for a, b in zip(fixed, named, strict=True)
        )
    ]
    assert hidden == []
