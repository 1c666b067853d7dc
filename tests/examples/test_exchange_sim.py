"""The outside clients' examples run against the command that they name."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from examples import exchange_sim_ccxt, exchange_sim_ccxt_pro, exchange_sim_sdk
from tests.cli.test_exchange_sim import free_port


class Exchange(NamedTuple):
    key: Path
    port: int
    tls_port: int


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    there = Exchange(tmp_path / "key.json", free_port(), free_port())
    words = ["--port", str(there.port), "--tls-port", str(there.tls_port), "--key-out", str(there.key), "--switch", "limits=false"]
    process = subprocess.Popen([sys.executable, "-m", "traider.cli.main", "exchange-sim", *words], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("exchange on")
        assert process.stdout.readline().startswith("and on https")
        yield there
    finally:
        process.terminate()
        process.communicate()


def test_the_official_sdk(exchange: Exchange) -> None:
    printed = exchange_sim_sdk.main(*exchange)
    assert printed[:2] == ["a resting order, edited: True", "and cancelled: True, CANCELLED"]
    assert printed[2].startswith("a market order: FILLED")
    assert printed[4] == "streamed: candles, heartbeats, l2_data, market_trades, ticker"


def test_ccxt(exchange: Exchange) -> None:
    printed = exchange_sim_ccxt.main(exchange.key, exchange.port)
    assert printed[:2] == ["open orders: 1", "edited and cancelled: canceled"]
    assert printed[2].startswith("a market order: closed, 0.01 BTC")
    assert printed[4] == "balance: 99.99 BTC"


async def test_ccxt_pro(exchange: Exchange) -> None:
    printed = await exchange_sim_ccxt_pro.main(exchange.key, exchange.port)
    assert printed[1:] == ["the last price: True", "trades: True", "an own order: OPEN"]
