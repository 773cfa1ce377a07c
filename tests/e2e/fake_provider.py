"""A local OIDC provider that immediately logs everybody in as the same person."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import time
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID = "ripeline-of-the-test"
NAME = "Ada Grader"
_CODE = "a-code"
_KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})


class Provider:
    """The provider; `logins` holds the query of every login request."""

    def __init__(self) -> None:
        self.logins: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def metadata_url(self) -> str:
        return f"{self.url}/.well-known/openid-configuration"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str) -> object:
        """The JSON document at `path`."""
        if path == "/jwks":
            return KeySet([_KEY]).as_dict(private=False)
        if path == "/token":
            return {"access_token": "x", "token_type": "Bearer", "id_token": self._id_token()}
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def _id_token(self) -> str:
        now = int(time())
        claims = {"iss": self.url, "sub": "1", "aud": CLIENT_ID, "name": NAME}
        times = {"iat": now, "exp": now + 3600, "nonce": self.logins[-1]["nonce"]}
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims | times, _KEY)


@contextmanager
def running_provider() -> Iterator[Provider]:
    provider = Provider()
    try:
        yield provider
    finally:
        provider.stop()


def _handler_of(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                query = {name: value for name, [value] in parse_qs(parts.query).items()}
                provider.logins.append(query)
                back = urlencode({"code": _CODE, "state": query["state"]})
                self.send_response(302)
                self.send_header("Location", f"{query['redirect_uri']}?{back}")
                self.end_headers()
                return
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.dumps(provider.answer(parts.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - for http.server

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
