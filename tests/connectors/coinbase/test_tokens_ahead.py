"""Tokens that are signed ahead: each for one request, none that is old, and ready again when there is time."""

import asyncio

import jwt

from tests.connectors.coinbase.keys import ec_key
from traider.connectors.coinbase.credentials import ApiKey
from traider.connectors.coinbase.tokens import BACKDATED_S, LIFETIME_S, KeyAuthorization
from traider.connectors.coinbase.tokens_ahead import FRESH_S, READY, RENEW_S, TokensAhead
from traider.runtime.virtual_time import VirtualClock, play

ORDERS = "POST host/orders"


class Signer:
    """Counts what it signs; its time is set by hand, beside the loop's."""

    def __init__(self) -> None:
        self.now_s = 1000
        self.signed: list[tuple[str, int]] = []
        self.ahead = TokensAhead(self._sign, lambda: self.now_s)

    def _sign(self, uri: str) -> str:
        self.signed.append((uri, self.now_s))
        return f"token {len(self.signed)}"


def test_each_token_is_handed_out_once_and_replaced_when_there_is_time() -> None:
    async def story() -> None:
        signer = Signer()
        assert signer.ahead.take(ORDERS) is None, "nobody expects such requests"
        signer.ahead.expect(ORDERS)
        assert signer.signed == [], "not while somebody waits"
        await asyncio.sleep(1.0)
        assert len(signer.signed) == READY
        taken = [signer.ahead.take(ORDERS) for _ in range(READY + 1)]
        assert taken == [*(f"token {number + 1}" for number in range(READY)), None]
        assert len(signer.signed) == READY, "none is signed in the moment in which requests leave"
        await asyncio.sleep(1.0)
        assert signer.ahead.take(ORDERS) == f"token {READY + 1}"
        signer.ahead.stop()
        assert signer.ahead.take(ORDERS) is None
        signed = len(signer.signed)
        await asyncio.sleep(10 * RENEW_S)
        assert len(signer.signed) == signed

    play(story)


def test_what_is_ready_is_renewed_while_nothing_is_sent() -> None:
    async def story() -> None:
        signer = Signer()
        signer.ahead.expect(ORDERS)
        signer.ahead.expect("POST host/other")
        for _ in range(600):
            await asyncio.sleep(1.0)
            signer.now_s += 1
        signed = len(signer.signed)
        assert signer.ahead.take(ORDERS) is not None
        assert signer.ahead.take("POST host/other") is not None
        newest = max(at for uri, at in signer.signed if uri == ORDERS)
        assert newest >= signer.now_s - 2 * RENEW_S - 1
        assert signed <= 2 * READY * (600 // RENEW_S + 1), "no more often than it has to be"

    play(story)


def test_a_token_that_is_old_or_from_the_future_is_not_handed_out() -> None:
    async def story() -> None:
        for moved_s, usable in ((FRESH_S, True), (FRESH_S + 1, False), (0, True), (-1, False)):
            signer = Signer()
            signer.ahead.expect(ORDERS)
            await asyncio.sleep(1.0)
            signer.now_s += moved_s
            assert (signer.ahead.take(ORDERS) is not None) is usable, moved_s
            signer.ahead.stop()

    play(story)
    assert FRESH_S < LIFETIME_S - BACKDATED_S - 30, "it has to hold until it has arrived"


def test_a_key_signs_ahead_what_it_would_have_signed_then() -> None:
    private, secret = ec_key()

    async def story() -> None:
        authorization = KeyAuthorization(ApiKey("organizations/o/apiKeys/1", secret), VirtualClock())
        authorization.expect("POST", "host", "/orders")
        await asyncio.sleep(1.0)
        tokens = [await authorization.for_request("POST", "host", "/orders") for _ in range(READY + 2)]
        other = await authorization.for_request("GET", "host", "/accounts")
        authorization.stop()
        nonces = set()
        for token, uri in [*((token, ORDERS) for token in tokens), (other, "GET host/accounts")]:
            claims = jwt.decode(token, private.public_key(), algorithms=["ES256"], options={"verify_exp": False, "verify_nbf": False})
            assert claims["uri"] == uri
            nonces.add(jwt.get_unverified_header(token)["nonce"])
        assert len(nonces) == READY + 3, "no token is used twice"

    play(story)
