"""The Coinbase client against the list that every venue has to pass, with its own transport and with the official SDK's."""

from collections.abc import AsyncIterator
from decimal import Decimal

import msgspec
import pytest

from tests.connectors.coinbase.fake_rest import FakeRest, Fault
from tests.connectors.coinbase.fake_socket import FakeSocket
from tests.connectors.coinbase.keys import EC_NAME, ED_NAME, ec_key, ed_key
from tests.connectors.coinbase.running import Exchange, running
from tests.connectors.venue_conformance import Stage, VenueConformance
from traider.connectors.coinbase import ApiKey, coinbase_venue
from traider.runtime.clock import SystemClock


class CoinbaseStage(Stage):
    """The client in front of the scripted Coinbase."""

    symbol = "BTC-USD"
    quote = "USD"
    resting_price = Decimal("25000.00")
    other_price = Decimal("25000.01")
    too_much = Decimal(101)

    def __init__(self, exchange: Exchange, key: ApiKey, *, official_sdk: bool) -> None:
        self.exchange = exchange
        self.venue = coinbase_venue(key, SystemClock(), msgspec.structs.replace(exchange.options, official_sdk=official_sdk))

    async def fill(self, client_order_id: str, size: Decimal) -> None:
        self.exchange.rest.fill(client_order_id, size=str(size), price=str(self.resting_price))

    async def lose_next_reply(self, *, applied: bool) -> None:
        self.exchange.rest.faults.append(Fault("/orders", apply=applied, drop=True))

    async def answer_next_order(self, status: int, body: str) -> None:
        self.exchange.rest.faults.append(Fault("/orders", status=status, body=body))

    async def drop_stream(self) -> None:
        self.exchange.socket.hang_up(None)


async def _staged(name: str, *, official_sdk: bool) -> AsyncIterator[Stage]:
    private, secret = ec_key() if name == EC_NAME else ed_key()
    exchange = Exchange(FakeRest({name: private.public_key()}), FakeSocket())
    async with running(exchange):
        stage = CoinbaseStage(exchange, ApiKey(name, secret), official_sdk=official_sdk)
        await stage.venue.start()
        yield stage
        await stage.venue.stop()


class TestCoinbase(VenueConformance):
    @pytest.fixture(params=[EC_NAME, ED_NAME], ids=["ecdsa", "ed25519"])
    async def stage(self, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
        async for stage in _staged(request.param, official_sdk=False):
            yield stage


class TestCoinbaseOverTheOfficialSdk(VenueConformance):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        async for stage in _staged(ED_NAME, official_sdk=True):
            yield stage
