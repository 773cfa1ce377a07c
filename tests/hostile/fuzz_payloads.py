"""Invalid paths, query parameters, JSON bodies and headers."""

import json
import random
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.hostile.requests import Attack, Header, request

NAMES = (
    *(b"%00", b"%ff%fe", b"..%2f..%2fetc%2fpasswd", b"%2e%2e", b"a" * 5000, b"%F0%9F%8D%8E", b"-1"),
    *(
        b"9" * 400,
        b"0" * 32,
        b"f" * 32,
        b"F" * 32,
        b"'%20OR%201=1--",
        b"%0d%0aX-Evil:%201",
        b"null",
    ),
    *(b"%ED%A0%80", b"%", b"%zz", b"rollback", b"s3:%2f%2fbucket", b"{id}", b"*", b"%20"),
)
NUMBERS = (
    *(b"-1", b"0", b"9223372036854775808", b"1e400", b"NaN", b"Infinity", b"-Infinity", b"1.5"),
    *(
        b"9" * 5000,
        b"0x10",
        b"",
        b"%00",
        b"1,2",
        b"true",
        b"%EF%BC%91",
        b"1_000",
        b"18446744073709551616",
    ),
)
QUERY = (
    "offset",
    "limit",
    "days",
    "hours",
    "size",
    "seed",
    "below",
    "class_name",
    "explain",
    "instances",
)
TEXTS = ("", "\0", "\ud800", "a" * 100_000, "..", "not_x", "\u202e", "🍎", "NaN", "\x7f\x1b[31m")
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**63, -(2**63) - 1, 2**64, 10**400, 1.5, float("nan")),
    *(float("inf"), [], {}, [[]], {"a": {}}, *TEXTS, ["\ud800"], {"\ud800": 1}, {"": ""}),
)
BODIES = (
    *(
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"\0",
        b"NaN",
        b"1e999",
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
    ),
    *(b"[" * 100_000, b'{"a":' * 50_000, b"9" * 6000, b"-" * 9, b'{"mode":' + b"9" * 5000 + b"}"),
    *(
        b'{"label":"a","label":"b"}',
        b'{"a": 1}' * 3,
        b"x" * 1_100_000,
        b'{"a":"' + b"\\u0000" * 9 + b'"}',
    ),
    json.dumps({"ids": ["0" * 32] * 1000}).encode(),
    json.dumps({"ids": ["0" * 32] * 20_000, "class_name": "x"}).encode(),
)
HEADERS: tuple[Header, ...] = (
    (b"X-Odd", b"\xff\xfe\x80"),
    (b"Accept", b"\xff" * 200),
    (b"Accept", b"application/x-ndjson" + b", */*" * 5000),
    (b"Cookie", b"a=" + b"b" * 30_000),
    (b"Authorization", b"Bearer \xff\xfe"),
    (b"Authorization", b"Basic " + b"A" * 20_000),
    (b"X-API-Key", b"\xe9" * 500),
    (b"Origin", b"null"),
    (b"Host", b"\xff:\xff"),
    (b"Range", b"bytes=0-" + b",0-" * 3000),
    (b"If-None-Match", b'"' * 10_000),
    (b"X-Forwarded-For", b"1.2.3.4, \xff"),
    (b"Content-Encoding", b"gzip"),
    (b"Expect", b"200-maybe"),
    (b"Upgrade", b"websocket"),
    (b"Content-Type", b"application/json; charset=\xff"),
    (b"Content-Type", b"application/json; charset=utf-16"),
)
METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"PROPFIND")
# No worker runs here, so a queued run never starts.
JSON_PATHS = (
    b"/predictions/%s/feedback",
    b"/review-queue",
    b"/dataset/images/relabel",
    b"/dataset/images/remove",
    b"/dataset/images/%s",
    b"/triggers/%s",
    b"/retrain",
    b"/models/%s/promote",
    b"/runs/%s/cancel",
    b"/inspections",
    b"/inspections/%s/photos",
    b"/suggestions/%s/accept",
)
FIELDS = (
    *("label", "correct", "items", "prediction_id", "ids", "class_name", "enabled", "threshold"),
    *("lot", "kind", "supplier", "confidence", "max_rotten", "max_past_best", "boxes"),
    *("cooldown_hours", "schedule", "mode", "architecture", "epochs", "classes", "force"),
)


def payloads(paths: Mapping[str, Mapping[str, Any]], rng: random.Random) -> Iterator[Attack]:
    """An endless series. `paths` come from the OpenAPI document."""
    while True:
        yield _url(paths, rng)
        yield _json(rng)
        yield _header(rng)


def _url(paths: Mapping[str, Mapping[str, Any]], rng: random.Random) -> Attack:
    """A random path and method, with invalid names and numbers."""
    path = rng.choice(sorted(paths)).encode()
    filled = re.sub(rb"\{[^}]*\}", lambda _: rng.choice(NAMES), path)
    if rng.random() < 0.1:
        filled = b"/" + rng.choice(NAMES)
    pairs = [
        b"%s=%s" % (rng.choice(QUERY).encode(), rng.choice((*NUMBERS, *NAMES)))
        for _ in range(rng.choice((0, 1, 3)))
    ]
    if rng.random() < 0.05:
        pairs.append(b"x=" + b"y" * 30_000)
    query = b"?" + b"&".join(pairs) if pairs else b""
    methods = [name.upper().encode() for name in paths[path.decode()]]
    method = rng.choice(METHODS if rng.random() < 0.1 else methods)
    return request(f"{method!r} {filled[:60]!r}", method, filled + query)


def _json(rng: random.Random) -> Attack:
    path = rng.choice(JSON_PATHS)
    if b"%s" in path:
        path %= rng.choice((*NAMES, b"accuracy", b"schedule"))
    method = b"PUT" if b"trigger" in path else b"PATCH" if path.count(b"/") == 3 else b"POST"
    body = rng.choice(BODIES) if rng.random() < 0.4 else json.dumps(_object(rng)).encode()
    headers = [(b"Content-Type", rng.choice((b"application/json", b"text/plain", b"a/b+json")))]
    return request(f"json {path[:40]!r} {body[:40]!r}", method, path, headers, body)


def _object(rng: random.Random) -> dict[str, Any]:
    return {
        rng.choice(FIELDS): rng.choice((*VALUES, [rng.choice(VALUES)], _inner(rng)))
        for _ in range(rng.choice((1, 2, 4)))
    }


def _inner(rng: random.Random) -> list[dict[str, Any]]:
    return [{"prediction_id": rng.choice(TEXTS), "label": rng.choice(VALUES)}]


def _header(rng: random.Random) -> Attack:
    headers = [rng.choice(HEADERS) for _ in range(rng.choice((1, 2)))]
    if len({name for name, _ in headers}) < len(headers):
        headers.pop()
    kind = rng.randrange(6)
    if kind == 0:
        many = [(b"X-%d" % number, b"y" * 90) for number in range(2000)]
        return request("many headers", b"GET", b"/health", many, complete=False)
    if kind == 1:
        long = b"/health?" + b"q" * rng.choice((200_000, 2_000_000))
        return request("long address", b"GET", long, complete=False)
    if kind == 2:
        data = rng.choice(
            (
                b"\0" * 1000,
                b"GET\r\n\r\n",
                b"GET / HTTP/9.9\r\n\r\n",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
                b"GET http://127.0.0.1:1/predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\nConnection: close\r\n\r\n",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                rng.randbytes(3000),
            )
        )
        return Attack(f"no HTTP {data[:30]!r}", data, complete=False)
    path = rng.choice((b"/health", b"/predictions", b"/dataset/images", b"/", b"/models", b"/docs"))
    return request(f"headers {headers!r}"[:90], b"GET", path, headers)
