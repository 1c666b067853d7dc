"""A small OAuth server on a port of this machine, and the user's browser."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from traider.connectors.coinbase.oauth import OAuthEndpoints

CLIENT_ID, CLIENT_SECRET = "app-1", "app-secret"


@dataclass
class OAuthServer:
    """Grants to whoever asks rightly: codes once, refresh tokens once, PKCE checked."""

    codes: dict[str, tuple[str, str]] = field(default_factory=dict)  # code -> challenge, redirect
    refreshable: set[str] = field(default_factory=set)
    valid: set[str] = field(default_factory=set)
    refreshes: int = 0
    delay_s: float = 0.0
    endpoints: OAuthEndpoints = field(default_factory=OAuthEndpoints)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/auth", self.authorize)
        app.router.add_post("/token", self.token)
        app.router.add_post("/revoke", self.revoke)
        return app

    async def authorize(self, request: web.Request) -> web.Response:
        query = request.query
        assert (query["response_type"], query["client_id"], query["code_challenge_method"]) == ("code", CLIENT_ID, "S256")
        assert len(query["state"]) >= 8
        code = secrets.token_urlsafe(16)
        self.codes[code] = (query["code_challenge"], query["redirect_uri"])
        raise web.HTTPFound(f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}")

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if (form["client_id"], form["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        await asyncio.sleep(self.delay_s)
        if form["grant_type"] == "authorization_code":
            challenge, redirect_uri = self.codes.pop(str(form["code"]), ("", ""))
            digest = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
            shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            good = shown == challenge and redirect_uri == form["redirect_uri"]
        else:
            good = str(form["refresh_token"]) in self.refreshable
            self.refreshable.discard(str(form["refresh_token"]))
            self.refreshes += 1
        if not good:
            return web.json_response({"error": "invalid_grant", "error_description": "spent or wrong"}, status=400)
        access, refresh = secrets.token_urlsafe(8), secrets.token_urlsafe(8)
        self.valid.add(access)
        self.refreshable.add(refresh)
        return web.json_response({"access_token": access, "refresh_token": refresh, "token_type": "bearer", "expires_in": 3600, "new": 1})

    async def revoke(self, request: web.Request) -> web.Response:
        self.valid.discard(str((await request.post())["token"]))
        return web.json_response({})


@asynccontextmanager
async def serving_oauth() -> AsyncIterator[OAuthServer]:
    """The server, until the block is left."""
    server = OAuthServer()
    runner = web.AppRunner(server.app(), shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    server.endpoints = OAuthEndpoints(authorize_url=f"{base}/auth", token_url=f"{base}/token", revoke_url=f"{base}/revoke")
    yield server
    await runner.cleanup()


async def browsed(url: str) -> str:
    """Where the browser is sent back to by a user who says yes."""
    async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False) as response:
        return response.headers["Location"]
