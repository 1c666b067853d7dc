"""Tokens are checked for real, and those of every client that the reference names are accepted."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.connectors.exchange.floor import START_NS
from tests.connectors.exchange.running import PREFIX, Running, exchange, secret_of, sign
from traider.connectors.sim.exchange.keys import make_key

URI = f"GET 127.0.0.1{PREFIX}/accounts"
NOW_S = START_NS // 10**9


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with exchange() as running:
        yield running


async def status(running: Running, token: str) -> int:
    return (await running.call("GET", "/accounts", token=token)).status


@pytest.mark.parametrize("kind", ["ecdsa", "ed25519"])
def test_keys_have_the_forms_in_which_they_are_issued(kind: Any) -> None:
    content, public = make_key(kind)
    if kind == "ecdsa":
        organizations, org, api_keys, name = content["name"].split("/")
        assert (organizations, api_keys, str(uuid.UUID(org)), str(uuid.UUID(name))) == ("organizations", "apiKeys", org, name)
        assert content["privateKey"].startswith("-----BEGIN EC PRIVATE KEY-----\n")
        assert isinstance(secret_of(content).curve, ec.SECP256R1)
    else:
        assert str(uuid.UUID(content["id"])) == content["id"]
        assert len(content["privateKey"]) == 88
    assert secret_of(content).public_key() == public


@pytest.mark.parametrize("kind", ["ecdsa", "ed25519"])
async def test_a_key_of_either_kind_signs_requests(running: Running, kind: Any) -> None:
    assert (await running.call("GET", "/accounts", key=running.add_account("bob", kind))).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "coinbase-cloud", "aud": ["retail_rest_api_proxy"], "iat": NOW_S},
        {"aud": ["cdp_service"], "uri": None, "uris": [URI]},
        {"uri": f"GET http://127.0.0.1:9000{PREFIX}/accounts"},
        {"uri": f"GET api.coinbase.com{PREFIX}/accounts"},
        {"nbf": NOW_S + 5},
        {"nbf": NOW_S - 124, "exp": NOW_S - 4},
    ],
)
async def test_what_clients_send_is_accepted(running: Running, claims: dict[str, Any]) -> None:
    assert await status(running, sign(running.key, START_NS, URI, **claims)) == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"uri": f"POST 127.0.0.1{PREFIX}/accounts"},
        {"uri": f"GET 127.0.0.1{PREFIX}/orders"},
        {"uri": f"GET 127.0.0.1{PREFIX}/accounts?limit=1"},
        {"uri": None},
        {"iss": "somebody"},
        {"sub": "somebody"},
        {"nbf": NOW_S + 6},
        {"nbf": NOW_S - 126, "exp": NOW_S - 6},
        {"exp": NOW_S + 121},
        {"exp": None},
    ],
)
async def test_what_does_not_hold_is_401_in_plain_text(running: Running, claims: dict[str, Any]) -> None:
    reply = await running.call("GET", "/accounts", token=sign(running.key, START_NS, URI, **claims))
    assert (reply.status, reply.text) == (401, "Unauthorized\n")


async def test_another_keys_signature_is_refused(running: Running) -> None:
    stranger, _ = make_key("ecdsa")
    assert await status(running, sign(stranger, START_NS, URI)) == 401
    forged = stranger | {"name": running.key["name"]}
    assert await status(running, sign(forged, START_NS, URI)) == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30."])
async def test_what_is_no_token_is_refused(running: Running, token: str) -> None:
    assert await status(running, token) == 401


async def test_an_algorithm_is_the_keys_not_the_tokens(running: Running) -> None:
    edwards = running.add_account("bob", "ed25519")
    forged = running.key | {"name": edwards["id"]}  # ES256, in the name of an Ed25519 key
    assert await status(running, sign(forged, START_NS, URI)) == 401


async def test_scopes_are_needed(running: Running) -> None:
    viewer = running.add_account("viewer", scopes=("view",))
    assert (await running.call("GET", "/accounts", key=viewer)).status == 200
    reply = await running.call("POST", "/orders", running.order_body(), key=viewer)
    assert reply.status == 403
    assert '"error_details":"Missing required scopes"' in reply.text


async def test_with_the_switch_a_nonce_is_good_once() -> None:
    async with exchange(token_replays=False) as running:
        token = sign(running.key, START_NS, URI, nonce="one")
        assert [await status(running, token) for _ in range(2)] == [200, 401]
        assert await status(running, sign(running.key, START_NS, URI, nonce="two")) == 200


async def test_the_skew_of_the_clock_counts(running: Running) -> None:
    token = sign(running.key, START_NS, URI)
    await running.control("POST", "/clock", {"skew": -90})
    assert await status(running, token) == 401
    assert await status(running, sign(running.key, START_NS - 90 * 10**9, URI)) == 200
