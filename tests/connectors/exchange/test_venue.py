"""The Coinbase client against the list that every venue has to pass, over real sockets to the exchange simulator."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tests.connectors.coinbase.running import REST_TIMING, SOCKET_TIMING
from tests.connectors.exchange.running import Running, exchange
from tests.connectors.venue_conformance import Stage, VenueConformance
from traider.connectors.coinbase import Addresses, ApiKey, Options, coinbase_venue
from traider.connectors.sim.exchange.keys import KeyKind
from traider.connectors.sim.exchange.tls import server_context
from traider.domain.venue import BestPrices
from traider.runtime.clock import SystemClock

# The simulator's heart beats once a second of its own time, as the venue's does.
PATIENT = msgspec.structs.replace(SOCKET_TIMING, heartbeat_timeout_s=5.0, subscribe_timeout_s=4.0, snapshot_timeout_s=10.0)


class SimulatorStage(Stage):
    """The client in front of the exchange simulator, whose control API is the power over the other side."""

    symbol = "BTC-USD"
    quote = "USD"
    resting_price = Decimal(90)
    other_price = Decimal(91)
    too_much = Decimal(2000)

    def __init__(self, running: Running, key: ApiKey, addresses: Addresses, *, official_sdk: bool) -> None:
        self.running = running
        options = Options(addresses=addresses, rest_timing=REST_TIMING, socket_timing=PATIENT, official_sdk=official_sdk)
        self.venue = coinbase_venue(key, SystemClock(), options)

    async def fill(self, client_order_id: str, size: Decimal) -> None:
        await self.running.fault(do="fill", client_order_id=client_order_id, size=str(size))

    async def lose_next_reply(self, *, applied: bool) -> None:
        when = "after_apply" if applied else "before_apply"
        await self.running.fault(match={"method": "POST", "path": "/orders"}, do="drop_reply", when=when)

    async def answer_next_order(self, status: int, body: str) -> None:
        await self.running.fault(match={"method": "POST", "path": "/orders"}, do="status", code=status, body=body, applied=True)

    async def drop_stream(self) -> None:
        await self.running.fault(do="ws.drop")


@asynccontextmanager
async def staged(kind: KeyKind, *, official_sdk: bool = False, tls: tuple[ssl.SSLContext, Path] | None = None) -> AsyncIterator[Stage]:
    """A started client, with a key of its own, on the plain port or, with a context and its authority, on the other."""
    async with exchange(virtual=False, tls=tls[0] if tls else None) as running:
        issued = running.key if kind == "ecdsa" else running.simulator.issue_key(running.account, kind, ("view", "trade"))
        port, s = (running.serving.tls_port, "s") if tls else (running.serving.port, "")
        socket_url = f"ws{s}://127.0.0.1:{port}"
        addresses = Addresses(
            rest_url=f"http{s}://127.0.0.1:{port}",
            market_url=socket_url,
            user_urls=(socket_url,),
            ca_file=str(tls[1]) if tls else "",
        )
        key = ApiKey(issued.get("name") or issued["id"], issued["privateKey"])
        stage = SimulatorStage(running, key, addresses, official_sdk=official_sdk)
        await stage.venue.start()
        yield stage
        await stage.venue.stop()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """The server's context and the certificate that a client trusts."""
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    return server_context(path, "127.0.0.1"), path


class TestCoinbaseOnTheSimulator(VenueConformance):
    @pytest.fixture(params=["ecdsa", "ed25519"])
    async def stage(self, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
        async with staged(request.param) as stage:
            yield stage

    async def test_best_prices_are_those_of_the_book_and_a_book_of_one_side_has_none(self, stage: Stage) -> None:
        assert isinstance(stage, SimulatorStage)
        assert await stage.venue.best_prices(("BTC-USD",)) == {"BTC-USD": BestPrices(bid=99.0, ask=101.0)}
        for ticks in (101, 102):
            stage.running.simulator.exchange.markets["BTC-USD"].matcher.on_level(-1, ticks, 0)
        assert await stage.venue.best_prices(("BTC-USD",)) == {}


class TestCoinbaseOnTheSimulatorOverTls(VenueConformance):
    @pytest.fixture
    async def stage(self, authority: tuple[ssl.SSLContext, Path]) -> AsyncIterator[Stage]:
        async with staged("ecdsa", tls=authority) as stage:
            yield stage


# Over wss the SDK makes a context that verifies nothing, in a way that Python has deprecated.
@pytest.mark.filterwarnings(r"ignore:ssl\.(SSLContext|PROTOCOL_TLS).* is deprecated:DeprecationWarning")
class TestCoinbaseOverTheOfficialSdkOnTheSimulator(VenueConformance):
    @pytest.fixture(params=["plain", "tls"])
    async def stage(self, request: pytest.FixtureRequest, authority: tuple[ssl.SSLContext, Path]) -> AsyncIterator[Stage]:
        async with staged("ed25519", official_sdk=True, tls=authority if request.param == "tls" else None) as stage:
            yield stage
