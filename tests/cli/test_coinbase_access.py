"""``traider coinbase-login`` and ``coinbase-logout`` against a local OAuth server, and a guard's client that uses what was granted."""

import asyncio
import re
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.connectors.coinbase.fake_rest import FakeRest
from tests.connectors.coinbase.fake_socket import FakeSocket
from tests.connectors.coinbase.keys import EC_NAME, ec_key
from tests.connectors.coinbase.oauth_server import CLIENT_ID, CLIENT_SECRET, OAuthServer, browsed, serving_oauth
from tests.connectors.coinbase.running import Exchange, running
from tests.guard.support import BTC
from traider.cli.coinbase_access import TOKENS, vault_of, venue_maker
from traider.cli.guard import _venue_of
from traider.cli.main import run as traider
from traider.connectors.coinbase import Options
from traider.domain.errors import SettingsError
from traider.domain.limits import RiskLimits
from traider.domain.venue import Venue
from traider.guard.books import GuardConfig
from traider.runtime.settings import load_settings


@pytest.fixture
async def server() -> AsyncIterator[OAuthServer]:
    async with serving_oauth() as server:
        yield server


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def environment(server: OAuthServer, tmp_path: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "COINBASE_OAUTH_CLIENT_ID": CLIENT_ID,
        "COINBASE_OAUTH_CLIENT_SECRET": CLIENT_SECRET,
        "COINBASE_OAUTH_REDIRECT_URI": f"http://127.0.0.1:{port}/callback",
        "COINBASE_OAUTH_URL": server.endpoints.token_url.removesuffix("/token"),
        "COINBASE_OAUTH_KEY_FILE": str(tmp_path / "elsewhere" / "oauth.key"),
        "TRAIDER_STATE_DIR": str(state_dir),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings


async def command(*words: str) -> int:
    """The command in a thread, since the server is in this loop."""
    return await asyncio.to_thread(traider, list(words))


async def logged_in(capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says, after a user who says yes."""
    said = ""
    capsys.readouterr()
    login = asyncio.create_task(command("coinbase-login", "--no-browser", "--wait", "20"))
    while (address := re.search(r"say yes in the browser: (\S+)", said)) is None:
        assert not login.done(), capsys.readouterr()
        await asyncio.sleep(0.01)
        said += capsys.readouterr().out
    async with aiohttp.ClientSession() as session, session.get(await browsed(address[1])) as page:
        assert page.status == 200
    assert await login == 0
    return said + capsys.readouterr().out


async def test_access_is_granted_kept_encrypted_used_and_given_back(
    server: OAuthServer, environment: dict[str, str], state_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = await logged_in(capsys)
    assert "access was granted" in said
    (token,) = server.valid
    stored = state_dir / TOKENS
    assert token.encode() not in stored.read_bytes()
    assert token not in said
    assert [stat.S_IMODE(path.stat().st_mode) for path in (stored, tmp_path / "elsewhere" / "oauth.key")] == [0o600, 0o600]

    def believes(request: web.Request) -> bool:
        return request.headers["Authorization"].removeprefix("Bearer ") in server.valid

    exchange = Exchange(FakeRest({}), FakeSocket())
    async with running(exchange):
        exchange.rest._authorized = believes  # type: ignore[method-assign]  # the venue's side
        exchange.socket.believed = lambda token: {} if token in server.valid else None
        addresses = exchange.options.addresses
        reached = {
            "COINBASE_REST_URL": addresses.rest_url,
            "COINBASE_WS_URL": addresses.market_url,
            "COINBASE_WS_USER_URL": addresses.market_url,
        }
        made, _ = _venue_of(
            "coinbase", load_settings(environment | reached), GuardConfig(instruments=(BTC,), limits=RiskLimits(), cash=None)
        )
        assert made is not None
        venue: Venue = made()
        await venue.start()
        assert [balance.currency for balance in await venue.balances()] == ["BTC", "USD"]
        await venue.stop()
    assert await command("coinbase-logout") == 0
    assert server.valid == set()
    assert not stored.exists()
    assert "given back" in capsys.readouterr().out


async def test_what_can_not_be_done_is_told_in_one_line(
    server: OAuthServer, environment: dict[str, str], state_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refusal(*words: str) -> str:
        capsys.readouterr()
        assert await command(*words) == 2
        return capsys.readouterr().err

    assert "there is no granted access here" in await refusal("coinbase-logout")
    assert "no answer came back within 0.1 s" in await refusal("coinbase-login", "--no-browser", "--wait", "0.1")
    assert not (state_dir / TOKENS).exists()
    assert "--wait is 0" in await refusal("coinbase-login", "--no-browser", "--wait", "0")
    await logged_in(capsys)
    assert "give it back first" in await refusal("coinbase-login", "--no-browser")
    monkeypatch.setenv("COINBASE_OAUTH_URL", "http://127.0.0.1:1/oauth2")
    assert "the tokens are kept" in await refusal("coinbase-logout")
    assert (state_dir / TOKENS).exists()
    assert await command("coinbase-logout", "--forget") == 0
    assert not (state_dir / TOKENS).exists()
    monkeypatch.setenv("COINBASE_OAUTH_URL", "http://login.example.com/oauth2")
    assert "COINBASE_OAUTH_URL" in await refusal("coinbase-login")
    monkeypatch.delenv("COINBASE_OAUTH_CLIENT_SECRET")
    monkeypatch.delenv("COINBASE_OAUTH_URL")
    assert "set COINBASE_OAUTH_CLIENT_SECRET" in await refusal("coinbase-login")


async def test_a_guard_has_one_account_only(environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingsError, match="have access granted with: traider coinbase-login"):
        venue_maker(load_settings(environment), Options())
    await logged_in(capsys)
    settings = load_settings(environment)
    assert vault_of(settings).exists()
    venue_maker(settings, Options())
    with pytest.raises(SettingsError, match="unset the key, or give the access back"):
        venue_maker(load_settings(environment | {"COINBASE_API_KEY": EC_NAME, "COINBASE_API_SECRET": ec_key()[1]}), Options())
    key_file = tmp_path / "elsewhere" / "oauth.key"
    key_file.chmod(0o644)
    assert await command("guard", "--venue", "coinbase", "--instrument", "BTC-USD:0.01:0.001") == 2
    assert "can be read by others" in capsys.readouterr().err
