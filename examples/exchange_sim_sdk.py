"""The official SDK (``pip install coinbase-advanced-py``) against the exchange simulator: an order's whole life, and a stream.

    traider exchange-sim --port 9000 --tls-port 9443 --key-out key.json
    python examples/exchange_sim_sdk.py key.json

Only the address differs from the real exchange, and the certificate that the simulator wrote beside the key.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from coinbase.rest import RESTClient
from coinbase.websocket import WebsocketResponse, WSClient


def main(key_file: Path, port: int = 9000, tls_port: int = 9443) -> list[str]:
    """Places, edits, cancels and fills; what was printed."""
    printed: list[str] = []

    def tell(text: str) -> None:
        printed.append(text)
        print(text)

    client = RESTClient(key_file=str(key_file), base_url=f"127.0.0.1:{tls_port}", timeout=5)
    client.session.trust_env = False
    client.session.verify = str(key_file.with_name(f"{key_file.stem}.ca.pem"))
    bid = float(client.get_best_bid_ask(["BTC-USD"]).pricebooks[0].bids[0].price)

    resting = client.limit_order_gtc_buy("", "BTC-USD", base_size="0.01", limit_price=f"{bid * 0.9:.2f}").success_response["order_id"]
    edited = client.edit_order(resting, size="0.02", price=f"{bid * 0.91:.2f}")
    tell(f"a resting order, edited: {edited.success}")
    tell(f"and cancelled: {client.cancel_orders([resting]).results[0].success}, {client.get_order(resting).order.status}")

    bought = client.market_order_buy("", "BTC-USD", quote_size="100").success_response["order_id"]
    order = client.get_order(bought).order
    tell(f"a market order: {order.status}, {order.filled_size} BTC at {order.average_filled_price}, fees {order.total_fees}")
    tell(f"its fills: {len(client.get_fills(order_ids=[bought]).fills)}")
    client.session.close()

    seen: set[str] = set()
    stream = WSClient(key_file=str(key_file), base_url=f"ws://127.0.0.1:{port}", on_message=lambda text: seen.add(_channel(text)))
    stream.open()
    stream.subscribe(["BTC-USD"], ["heartbeats", "level2", "ticker", "market_trades", "candles"])
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not {"heartbeats", "l2_data", "ticker", "market_trades", "candles"} <= seen:
        time.sleep(0.1)
    stream.close()
    tell(f"streamed: {', '.join(sorted(seen - {'subscriptions'}))}")
    return printed


def _channel(text: str) -> str:
    message: Any = WebsocketResponse(json.loads(text))
    return str(message.channel)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(port) for port in sys.argv[2:]))
