"""The guard's process of the tick-to-order benchmark: the real guard, journal and client; of the exchange, orders alone are asked.

``python -m benchmarks.tick_guard STATE_DIR REST_URL``. When it is told to stop it writes where its time went.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from traider.connectors.coinbase.build import Options
from traider.connectors.coinbase.config import Addresses, RestTiming
from traider.connectors.coinbase.credentials import ApiKey
from traider.connectors.coinbase.http_transport import HttpTransport
from traider.connectors.coinbase.server_clock import ServerClock
from traider.connectors.coinbase.socket import PicowsSocket
from traider.connectors.coinbase.tokens import KeyAuthorization
from traider.connectors.coinbase.venue import CoinbaseVenue
from traider.domain.guard_protocol import Submit
from traider.domain.instruments import Instrument, instrument_from_symbol
from traider.domain.limits import RiskLimits
from traider.domain.orders import OrderRequest
from traider.domain.venue import Balance, MarketState, Permissions, StreamChange, StreamState, VenueEvent, VenueFill, VenueOrder
from traider.domain.vocabulary import OrderType, Side
from traider.guard.books import GuardConfig
from traider.guard.journal import Journal
from traider.guard.live.core import LiveGuard
from traider.runtime.clock import SystemClock
from traider.runtime.loop import run
from traider.services.guard import GuardOptions, run_guard

from .stamps import Stamps, now_ns

ALONE = 300  # turns of what is measured alone
APART_S = 0.01  # between two messages, and between two turns of what is measured alone: what one leaves to be done is done
HOT_APART_S = 0.0  # the same parts again, without a pause
BTC = instrument_from_symbol("BTC-USD", price_increment=Decimal("0.01"), size_increment=Decimal("0.00000001"))
LIMITS = RiskLimits(  # every one is asked, none refuses
    allowed_markets=("BTC-USD",),
    max_order_notional=Decimal(10_000_000),
    max_open_orders=60,
    max_position_size=Decimal(10),
    max_daily_loss=Decimal(9_000_000),
    max_drawdown=Decimal("0.9"),
    max_orders_per_minute=4000,
    max_gross_exposure=Decimal(10_000_000),
    max_price_deviation=Decimal("0.5"),
)


class Exchange(CoinbaseVenue):
    """Orders go over HTTP as they do to Coinbase; everything else is answered here, so that nothing else is under way."""

    async def start(self) -> None:
        await self._rest.start()
        self._instruments.update({BTC.symbol: BTC})

    async def stop(self) -> None:
        await self._rest.stop()

    async def server_time_ns(self) -> int:
        return SystemClock().now_ns()

    async def permissions(self) -> Permissions:
        return Permissions(can_view=True, can_trade=True, can_transfer=False, portfolio="benchmark")

    async def products(self) -> tuple[Instrument, ...]:
        return (BTC,)

    async def market_states(self) -> dict[str, MarketState]:
        return {BTC.symbol: MarketState(symbol=BTC.symbol, tradable=True)}

    async def balances(self) -> tuple[Balance, ...]:
        return (Balance(currency="USD", available=Decimal(1_000_000), held=Decimal(0)),)

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        return ()

    async def order(self, *, client_order_id: str = "", venue_order_id: str = "") -> VenueOrder | None:
        return None

    async def fills(self, *, since_ts_ns: int) -> tuple[VenueFill, ...]:
        return ()

    async def events(self) -> AsyncIterator[VenueEvent]:
        yield StreamChange(state=StreamState.LIVE)
        await asyncio.Event().wait()


def exchange(rest_url: str) -> Exchange:
    """A client with a key of its own; the order rate is the benchmark's."""
    options = Options(addresses=Addresses(rest_url=rest_url), rest_timing=RestTiming(private_per_s=100_000.0, burst=100_000))
    clock = ServerClock(SystemClock())
    authorization = KeyAuthorization(ApiKey("organizations/benchmark/apiKeys/1", _pem()), clock)
    return Exchange(
        transport=HttpTransport(options.addresses, authorization),
        make_socket=lambda: PicowsSocket(None, connect_timeout_s=1.0),
        server_clock=clock,
        addresses=options.addresses,
        rest_timing=options.rest_timing,
    )


def _pem() -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def request(number: int) -> OrderRequest:
    return OrderRequest(
        client_order_id=f"alone-{number}",
        symbol=BTC.symbol,
        side=Side.BUY,
        type=OrderType.LIMIT,
        size=Decimal("0.001"),
        limit_price=Decimal("25000.01"),
    )


async def requests_alone(rest_url: str, stamps: Stamps) -> None:
    """One request after the other, with nothing else to do; at the way's own pace, and then without a pause."""
    venue = exchange(rest_url)
    await venue.start()
    for number in range(2 * ALONE):
        await asyncio.sleep(APART_S if number < ALONE else HOT_APART_S)
        stamps.mark("request alone >")
        try:
            await venue.submit(request(number))
        except Exception as error:  # noqa: BLE001 - the exchange refuses every order, so that none stays open
            _expect_refusal(error)
    await venue.stop()


def _expect_refusal(error: Exception) -> None:
    if "refused" not in str(error):
        raise error


def disk_alone(folder: Path, apart_s: float) -> list[int]:
    """A line of a journal's length appended and made durable."""
    fd = os.open(folder / "alone", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    took: list[int] = []
    for _ in range(ALONE):
        time.sleep(apart_s)
        began = now_ns()
        os.write(fd, b"x" * 700)
        os.fdatasync(fd)
        took.append(now_ns() - began)
    os.close(fd)
    return took


def mark_the_way(stamps: Stamps) -> None:
    """Marks before and after what an order passes."""
    cls: Any = LiveGuard
    cls.handle = stamps.before_and_after("handle", LiveGuard.handle, lambda _self, ask, _client: isinstance(ask, Submit))
    journal: Any = Journal
    handling = stamps.times

    def within(_self: Any, _drafts: Any) -> bool:
        return len(handling.get("handle >", ())) > len(handling.get("handle <", ()))

    journal.append = stamps.before_and_after("journal", Journal.append, within)
    venue: Any = Exchange
    venue.submit = stamps.around("submit", CoinbaseVenue.submit)


def main() -> None:
    state_dir, rest_url = Path(sys.argv[1]), sys.argv[2]
    stamps = Stamps()
    state_dir.mkdir(parents=True, exist_ok=True)
    run(requests_alone(rest_url, stamps))
    stamps.times["disk alone"] = disk_alone(state_dir, APART_S)
    stamps.times["disk hot"] = disk_alone(state_dir, HOT_APART_S)
    mark_the_way(stamps)
    options = GuardOptions(
        state_dir=state_dir,
        store_url=f"sqlite:///{state_dir / 'store.sqlite3'}",
        config=GuardConfig(instruments=(BTC,), limits=LIMITS, cash=0.0, maker_fee=0.001, taker_fee=0.001),
    )
    run(run_guard(options, SystemClock(), lambda: exchange(rest_url)))
    stamps.write(state_dir / "guard.json")


if __name__ == "__main__":
    main()
