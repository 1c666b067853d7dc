"""ccxt.pro against the exchange simulator: book, trades, ticker and own orders, streamed.

traider exchange-sim --port 9000 --key-out key.json
python examples/exchange_sim_ccxt_pro.py key.json
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import ccxt.pro


async def main(key_file: Path, port: int = 9000) -> list[str]:
    """Streams, and trades once; what was printed."""
    printed: list[str] = []

    def tell(text: str) -> None:
        printed.append(text)
        print(text)

    key = _key(key_file)
    client = ccxt.pro.coinbase({"apiKey": key["name"], "secret": key["privateKey"]})
    client.urls["api"]["rest"] = f"http://127.0.0.1:{port}"
    client.urls["api"]["ws"] = f"ws://127.0.0.1:{port}"
    try:
        await client.load_markets()
        book = await client.watch_order_book("BTC/USD")
        tell(f"the book: {len(book['bids'])} bids, {len(book['asks'])} asks")
        tell(f"the last price: {(await client.watch_ticker('BTC/USD'))['last'] > 0}")
        tell(f"trades: {len(await client.watch_trades('BTC/USD')) > 0}")
        order = await _own_order(client, round(book["bids"][0][0] * 0.9, 2))
        tell(f"an own order: {order['info']['status']}")
        await client.cancel_order(order["id"])
    finally:
        await client.close()
    return printed


def _key(key_file: Path) -> dict[str, str]:
    content: dict[str, str] = json.loads(key_file.read_text(encoding="utf-8"))
    return content


async def _own_order(client: Any, price: float) -> Any:
    """A new order, as the stream tells of it."""
    watched = asyncio.create_task(client.watch_orders("BTC/USD"))
    while not watched.done():  # an order that is open when the stream begins is told as well
        await client.create_order("BTC/USD", "limit", "buy", 0.001, price)
        await asyncio.wait([watched], timeout=1)
    return (await watched)[-1]


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *(int(port) for port in sys.argv[2:])))
