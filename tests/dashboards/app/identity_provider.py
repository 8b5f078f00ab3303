"""A small OpenID Connect provider on loopback: it vouches for whoever it was told to.

Discovery, authorisation code with PKCE, RS256 ID tokens; what it refuses, it refuses as real ones do.
Source: OpenID Connect Core 1.0, 3.1.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.dashboards.app.served import free_port

CLIENT = "isopath"
SECRET = "a secret between the two"


class IdentityProvider:
    """The provider; change `claims` to say who is at the keyboard.

    Args:
        redirect_uri: the only place it sends people back to.
    """

    def __init__(self, redirect_uri: str) -> None:
        self.claims: dict[str, Any] = {}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._redirect_uri = redirect_uri
        self._key = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig", "alg": "RS256"})
        self._codes: dict[str, dict[str, str]] = {}
        routes = [
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/keys", self._keys),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
        ]
        config = uvicorn.Config(Starlette(routes=routes), port=self.port, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> IdentityProvider:
        self._thread.start()
        end = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < end, "the provider did not start"
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=20)

    async def _discovery(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        if asked["client_id"] != CLIENT or asked["redirect_uri"] != self._redirect_uri:
            return Response("unknown client", 400)
        code = secrets.token_urlsafe(16)
        self._codes[code] = {"nonce": asked["nonce"], "challenge": asked["code_challenge"]}
        return RedirectResponse(
            f"{self._redirect_uri}?{urlencode({'code': code, 'state': asked['state']})}", 302
        )

    async def _token(self, request: Request) -> Response:
        sent = dict(pair.split("=", 1) for pair in (await request.body()).decode().split("&"))
        known = self._codes.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        if known is None or base64.urlsafe_b64encode(digest).decode().rstrip("=") != known["challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "1",
            "iat": now,
            "exp": now + 300,
            "nonce": known["nonce"],
        }
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims | self.claims, self._key)
        return JSONResponse(
            {"access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "id_token": token}
        )
