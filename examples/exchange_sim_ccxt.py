"""ccxt (``pip install ccxt``) against the exchange simulator: an order's whole life.

    traider exchange-sim --port 9000 --key-out key.json
    python examples/exchange_sim_ccxt.py key.json

Only the address differs from the real exchange; the option is one that ccxt documents.
"""

import json
import sys
from pathlib import Path

import ccxt


def main(key_file: Path, port: int = 9000) -> list[str]:
    """Places, lists, edits, cancels and fills; what was printed."""
    printed: list[str] = []

    def tell(text: str) -> None:
        printed.append(text)
        print(text)

    key = json.loads(key_file.read_text(encoding="utf-8"))
    client = ccxt.coinbase({"apiKey": key["name"], "secret": key["privateKey"]})
    client.urls["api"]["rest"] = f"http://127.0.0.1:{port}"
    client.options["fetchBalance"] = "v3PrivateGetBrokerageAccounts"
    client.load_markets()
    bid = client.fetch_order_book("BTC/USD", limit=5)["bids"][0][0]

    resting = client.create_order("BTC/USD", "limit", "buy", 0.01, round(bid * 0.9, 2))
    tell(f"open orders: {len(client.fetch_open_orders('BTC/USD'))}")
    client.edit_order(resting["id"], "BTC/USD", "limit", "buy", 0.02, round(bid * 0.91, 2))
    client.cancel_order(resting["id"], "BTC/USD")
    tell(f"edited and cancelled: {client.fetch_order(resting['id'])['status']}")

    sold = client.fetch_order(client.create_order("BTC/USD", "market", "sell", 0.01)["id"])
    tell(f"a market order: {sold['status']}, {sold['filled']} BTC at {sold['average']}")
    tell(f"fills: {len(client.fetch_my_trades('BTC/USD'))}, candles: {len(client.fetch_ohlcv('BTC/USD', '1m', limit=5))}")
    tell(f"balance: {client.fetch_balance()['BTC']['free']} BTC")
    client.session.close()
    return printed


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(port) for port in sys.argv[2:]))
