"""The whole way of a grant against a small OAuth server, and tokens at rest."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest
from aiohttp import web

from tests.connectors.coinbase.fake_rest import FakeRest
from tests.connectors.coinbase.fake_socket import FakeSocket
from tests.connectors.coinbase.oauth_server import CLIENT_ID, CLIENT_SECRET, OAuthServer, browsed, serving_oauth
from tests.connectors.coinbase.running import Exchange, running
from traider.connectors.coinbase import Options, granted_venue
from traider.connectors.coinbase.oauth import (
    OAuthAuthorization,
    OAuthClient,
    OAuthEndpoints,
    Tokens,
    TokenVault,
    await_code,
    oauth_client_from,
)
from traider.connectors.coinbase.oauth.errors import OAuthError, OAuthUnavailableError
from traider.connectors.coinbase.oauth.grant import begin_grant, challenge_of
from traider.domain.errors import SettingsError, UserError
from traider.domain.venue import StreamChange, StreamState, VenueUnavailableError
from traider.runtime.clock import SystemClock
from traider.runtime.settings import load_settings

SECOND_NS = 10**9


class Clock:
    def __init__(self) -> None:
        self.ns = 1_900_000_000 * SECOND_NS

    def now_ns(self) -> int:
        return self.ns


@pytest.fixture
async def server() -> AsyncIterator[OAuthServer]:
    async with serving_oauth() as server:
        yield server


def client_of(
    server: OAuthServer, clock: Clock, *, redirect_uri: str = "http://127.0.0.1:8765/callback", secret: str = CLIENT_SECRET
) -> OAuthClient:
    return OAuthClient(client_id=CLIENT_ID, client_secret=secret, redirect_uri=redirect_uri, clock=clock, endpoints=server.endpoints)


async def test_the_whole_way_of_a_grant(server: OAuthServer, tmp_path: Path) -> None:
    clock = Clock()
    client = client_of(server, clock)
    grant = client.begin(("wallet:accounts:read", "offline_access"))
    query = parse_qs(urlsplit(grant.url).query)
    assert query["scope"] == ["wallet:accounts:read,offline_access"]
    assert query["code_challenge"] == [challenge_of(grant.verifier)]
    assert grant.verifier not in grant.url
    tokens = await client.finish(grant, await browsed(grant.url))
    assert tokens.access_token in server.valid
    assert tokens.expires_ts_ns == clock.ns + 3600 * SECOND_NS
    renewed = await client.refresh(tokens)
    assert renewed.access_token != tokens.access_token
    with pytest.raises(OAuthError, match="invalid_grant"):
        await client.refresh(tokens)
    vault = TokenVault(tmp_path / "tokens", tmp_path / "key")
    vault.store(renewed)
    await OAuthAuthorization(client, vault, clock).revoke()
    assert renewed.access_token not in server.valid
    assert vault.load() is None


def test_the_challenge_is_the_one_of_the_standard() -> None:
    # RFC 7636, appendix B
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_a_code_is_good_once_and_for_its_verifier_only(server: OAuthServer) -> None:
    client = client_of(server, Clock())
    grant = client.begin()
    location = await browsed(grant.url)
    await client.finish(grant, location)
    with pytest.raises(OAuthError, match="invalid_grant"):
        await client.finish(grant, location)
    stolen = await browsed(client.begin().url)
    forged = f"{grant.redirect_uri}?{urlencode({'code': parse_qs(urlsplit(stolen).query)['code'][0], 'state': grant.state})}"
    with pytest.raises(OAuthError, match="invalid_grant"):
        await client.finish(grant, forged)


def test_an_answer_of_another_request_is_not_believed() -> None:
    grant = begin_grant(authorize_url="https://x/auth", client_id="c", redirect_uri="http://127.0.0.1:1/", scopes=("a",))
    for query in ({"code": "c"}, {"code": "c", "state": "other"}, {"error": "access_denied", "state": ""}):
        with pytest.raises(OAuthError, match="does not belong"):
            grant.code_from(f"http://127.0.0.1:1/?{urlencode(query)}")
    with pytest.raises(OAuthError, match="not granted: access_denied"):
        grant.code_from(f"http://127.0.0.1:1/?{urlencode({'error': 'access_denied', 'state': grant.state})}")
    with pytest.raises(OAuthError, match="no code"):
        grant.code_from(f"http://127.0.0.1:1/?{urlencode({'state': grant.state})}")
    others = [begin_grant(authorize_url="u", client_id="c", redirect_uri="r", scopes=()) for _ in range(50)]
    assert len({other.state for other in others} | {other.verifier for other in others}) == 100
    assert all(43 <= len(other.verifier) <= 128 for other in others)


async def test_the_browser_comes_back_to_a_page_that_takes_only_its_own_answer(server: OAuthServer, unused_port: int) -> None:
    client = client_of(server, Clock(), redirect_uri=f"http://127.0.0.1:{unused_port}/callback")
    grant = client.begin()
    waiting = asyncio.create_task(await_code(grant, timeout_s=5))
    location = await browsed(grant.url)
    async with aiohttp.ClientSession() as session:
        for attempt in range(100):
            try:
                async with session.get(f"{grant.redirect_uri}?code=evil&state=guessed") as response:
                    assert response.status == 400
                    break
            except aiohttp.ClientConnectorError:
                assert attempt < 99
                await asyncio.sleep(0.01)
        assert not waiting.done()
        async with session.get(location) as response:
            assert response.status == 200
    tokens = await client.finish(grant, await waiting)
    assert tokens.access_token in server.valid


async def test_an_answer_that_never_comes_is_not_waited_for_for_ever(unused_port: int) -> None:
    grant = begin_grant(authorize_url="u", client_id="c", redirect_uri=f"http://127.0.0.1:{unused_port}/", scopes=())
    with pytest.raises(OAuthError, match="no answer came back"):
        await await_code(grant, timeout_s=0.05)
    elsewhere = begin_grant(authorize_url="u", client_id="c", redirect_uri="https://example.com/", scopes=())
    with pytest.raises(OAuthError, match="this machine only"):
        await await_code(elsewhere)


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def granted(server: OAuthServer, clock: Clock, folder: Path) -> tuple[OAuthAuthorization, TokenVault]:
    client = client_of(server, clock)
    grant = client.begin()
    vault = TokenVault(folder / "tokens", folder / "key")
    vault.store(await client.finish(grant, await browsed(grant.url)))
    return OAuthAuthorization(client, vault, clock), vault


async def test_tokens_renew_themselves_once_however_many_ask(server: OAuthServer, tmp_path: Path) -> None:
    clock = Clock()
    authorization, vault = await granted(server, clock, tmp_path)
    first = await authorization.for_request("GET", "h", "/p")
    assert await authorization.for_subscription() == first
    assert server.refreshes == 0
    clock.ns += 3541 * SECOND_NS
    server.delay_s = 0.02
    answers = await asyncio.gather(*(authorization.for_request("GET", "h", "/p") for _ in range(20)))
    assert server.refreshes == 1
    assert len(set(answers)) == 1
    stored = vault.load()
    assert stored is not None
    assert stored.access_token == answers[0] != first
    # another process, later, goes on with what was stored
    assert await OAuthAuthorization(client_of(server, clock), vault, clock).for_request("GET", "h", "/p") == answers[0]


async def test_who_gives_up_waiting_does_not_lose_the_renewed_tokens(server: OAuthServer, tmp_path: Path) -> None:
    clock = Clock()
    authorization, vault = await granted(server, clock, tmp_path)
    clock.ns += 3600 * SECOND_NS
    server.delay_s = 0.05
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await authorization.for_request("GET", "h", "/p")
    await asyncio.sleep(0.15)
    stored = vault.load()
    assert stored is not None
    assert stored.refresh_token in server.refreshable


async def test_a_grant_that_was_withdrawn_is_told(server: OAuthServer, tmp_path: Path) -> None:
    clock = Clock()
    authorization, _ = await granted(server, clock, tmp_path)
    server.refreshable.clear()
    clock.ns += 3600 * SECOND_NS
    with pytest.raises(VenueUnavailableError, match="grant it again"):
        await authorization.for_request("GET", "h", "/p")
    nothing = OAuthAuthorization(client_of(server, clock), TokenVault(tmp_path / "none", tmp_path / "key"), clock)
    with pytest.raises(VenueUnavailableError, match="no access to Coinbase has been granted"):
        await nothing.for_request("GET", "h", "/p")


async def test_a_wrong_secret_and_a_missing_server_are_told_apart(server: OAuthServer) -> None:
    grant = client_of(server, Clock()).begin()
    location = await browsed(grant.url)
    with pytest.raises(OAuthError, match="invalid_client"):
        await client_of(server, Clock(), secret="wrong").finish(grant, location)
    server.endpoints = OAuthEndpoints(token_url="http://127.0.0.1:1/token")
    with pytest.raises(OAuthUnavailableError, match="no answer"):
        await client_of(server, Clock()).finish(grant, location)


async def test_a_venue_trades_with_granted_access(server: OAuthServer, tmp_path: Path) -> None:
    authorization, _ = await granted(server, Clock(), tmp_path)

    def believes(request: web.Request) -> bool:
        return request.headers["Authorization"].removeprefix("Bearer ") in server.valid

    exchange = Exchange(FakeRest({}), FakeSocket())
    async with running(exchange):
        # this exchange believes whom the other one has granted
        exchange.rest._authorized = believes  # type: ignore[method-assign]  # the venue's side
        exchange.socket.believed = lambda token: {} if token in server.valid else None
        venue = granted_venue(authorization, SystemClock(), exchange.options)
        await venue.start()
        assert [balance.currency for balance in await venue.balances()] == ["BTC", "USD"]
        async with asyncio.timeout(5):
            assert await anext(venue.events()) == StreamChange(state=StreamState.LIVE)
        await venue.stop()
    with pytest.raises(SettingsError, match="needs a key"):
        granted_venue(authorization, SystemClock(), Options(official_sdk=True))


def test_an_application_comes_out_of_the_settings() -> None:
    settings = load_settings({"COINBASE_OAUTH_CLIENT_ID": CLIENT_ID, "COINBASE_OAUTH_CLIENT_SECRET": CLIENT_SECRET})
    url = oauth_client_from(settings.coinbase_oauth, Clock()).begin().url
    query = parse_qs(urlsplit(url).query)
    assert url.startswith("https://login.coinbase.com/oauth2/auth?")
    assert (query["client_id"], query["redirect_uri"]) == ([CLIENT_ID], ["http://127.0.0.1:8765/callback"])
    with pytest.raises(SettingsError, match="set COINBASE_OAUTH_CLIENT_SECRET as"):
        oauth_client_from(load_settings({"COINBASE_OAUTH_CLIENT_ID": CLIENT_ID}).coinbase_oauth, Clock())
    with pytest.raises(SettingsError, match="CLIENT_ID and COINBASE_OAUTH_CLIENT_SECRET"):
        oauth_client_from(load_settings({}).coinbase_oauth, Clock())


TOKENS = Tokens(access_token="access-hush", refresh_token="refresh-hush", expires_ts_ns=5, scope="a")


def test_tokens_at_rest_are_sealed_and_their_key_is_the_owners(tmp_path: Path) -> None:
    vault = TokenVault(tmp_path / "state" / "tokens", tmp_path / "secrets" / "key")
    assert vault.load() is None
    vault.store(TOKENS)
    assert vault.load() == TOKENS
    assert TokenVault(tmp_path / "state" / "tokens", tmp_path / "secrets" / "key").load() == TOKENS
    for path in (tmp_path / "state" / "tokens", tmp_path / "secrets" / "key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"hush" not in path.read_bytes()
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["key", "tokens"], "nothing is left lying about"
    vault.forget()
    assert vault.load() is None


def test_tokens_that_can_not_be_opened_are_told(tmp_path: Path) -> None:
    path, key = tmp_path / "tokens", tmp_path / "key"
    vault = TokenVault(path, key)
    vault.store(TOKENS)
    sealed = path.read_bytes()
    path.write_bytes(sealed[:-10] + b"0000000000")
    with pytest.raises(UserError, match="can't be opened"):
        vault.load()
    path.write_bytes(sealed)
    key.chmod(0o640)
    with pytest.raises(UserError, match="chmod 600"):
        vault.load()
    key.chmod(0o600)
    key.write_bytes(b"no key")
    with pytest.raises(UserError, match="holds no key"):
        vault.load()
    key.unlink()
    with pytest.raises(UserError, match="is gone"):
        vault.load()


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    grant = begin_grant(authorize_url="u", client_id="c", redirect_uri="r", scopes=())
    client = OAuthClient(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, redirect_uri="r", clock=Clock())
    shown = f"{TOKENS!r} {grant!r} {client!r} {[TOKENS]} {OAuthAuthorization(client, TokenVault(tmp_path, tmp_path), Clock())!r}"
    assert "hush" not in shown
    assert CLIENT_SECRET not in shown
    assert grant.verifier not in shown
    assert grant.state not in shown
