"""A small Coinbase for tests, REST side: orders rest until a test fills them, and faults are scripted call by call.

It follows the reference's shapes and lets a test see every request. It matches nothing by itself.
"""

import json
import time
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import jwt
from aiohttp import web

from tests.connectors.coinbase.keys import PublicKey

PREFIX = "/api/v3/brokerage"
PRODUCT = {
    "product_id": "BTC-USD",
    "price": "65086.18",
    "base_increment": "0.00000001",
    "quote_increment": "0.01",
    "price_increment": "0.01",
    "quote_min_size": "1",
    "base_min_size": "0.00000001",
    "base_max_size": "3400",
    "product_type": "SPOT",
    "quote_currency_id": "USD",
    "base_currency_id": "BTC",
    "status": "online",
    "alias": "",
    "a_field_of_tomorrow": {"nested": [1, 2]},
}


@dataclass
class Fault:
    """What happens to one call that begins with ``path``: before or after the order book acted on it."""

    path: str
    apply: bool = True
    drop: bool = False  # the connection is closed instead of a reply
    status: int = 200
    body: str | None = None
    times: int = 1


@dataclass
class FakeRest:
    public_keys: dict[str, PublicKey]
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    fills: list[dict[str, Any]] = field(default_factory=list)
    balances: dict[str, tuple[Decimal, Decimal]] = field(
        default_factory=lambda: {"USD": (Decimal(100000), Decimal(0)), "BTC": (Decimal(2), Decimal(0))}
    )
    clock_offset_s: float = 0.0
    page: int = 2
    peers: set[Any] = field(default_factory=set)  # host and port of everyone who connected
    nonces: set[str] = field(default_factory=set)
    on_change: Any = None  # the user channel

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", PREFIX + "/{call:.*}", self._handle)
        return app

    def now_s(self) -> float:
        return time.time() + self.clock_offset_s

    def sent(self, path: str) -> list[bytes]:
        """The bodies of the requests to this path."""
        return [body for _, called, body in self.requests if called == PREFIX + path]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        path = request.path
        if request.transport is not None:
            self.peers.add(request.transport.get_extra_info("peername"))
        self.requests.append((request.method, path, body))
        call = path.removeprefix(PREFIX)
        private = not call.startswith("/market/") and call != "/time"
        if private and not self._authorized(request):
            return web.Response(status=401, text="Unauthorized\n")
        fault = next((fault for fault in self.faults if call.startswith(fault.path) and fault.times > 0), None)
        if fault is None:
            return self._answer(request, call, body)
        fault.times -= 1
        answer = self._answer(request, call, body) if fault.apply else None
        if fault.drop:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault.body is not None or answer is None:
            return web.Response(status=fault.status, text=fault.body or "", content_type="application/json")
        return answer

    def _authorized(self, request: web.Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return False
        claims = self.believed(token)
        return claims is not None and claims.get("uri") == f"{request.method} {request.host}{request.path}"

    def believed(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that holds, by the venue's clock; each is good once."""
        try:
            header = jwt.get_unverified_header(token)
            key = self.public_keys[header["kid"]]
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=["ES256", "EdDSA"], options={"verify_aud": False, "verify_exp": False, "verify_nbf": False}
            )
        except (jwt.PyJWTError, KeyError):
            return None
        now_s = self.now_s()
        good = claims["sub"] == header["kid"] and claims["iss"] == "cdp" and claims["nbf"] <= now_s < claims["exp"] <= claims["nbf"] + 120
        if not good or header["nonce"] in self.nonces:
            return None
        self.nonces.add(header["nonce"])
        return claims

    def _answer(self, request: web.Request, call: str, body: bytes) -> web.Response:
        query = request.query
        match request.method, call.strip("/").split("/"):
            case "GET", ["time"]:
                return _json({"iso": "", "epochSeconds": str(int(self.now_s())), "epochMillis": str(int(self.now_s() * 1000))})
            case "GET", ["market", "products"]:
                return _json(
                    {"products": [PRODUCT, PRODUCT | {"product_id": "BIP-20DEC30-CDE", "product_type": "FUTURE"}], "num_products": 2}
                )
            case "GET", ["key_permissions"]:
                return _json(
                    {"can_view": True, "can_trade": True, "can_transfer": False, "portfolio_uuid": "p-1", "portfolio_type": "DEFAULT"}
                )
            case "GET", ["transaction_summary"]:
                return _json(
                    {"total_volume": 10.5, "fee_tier": {"pricing_tier": "Advanced 1", "taker_fee_rate": "0.012", "maker_fee_rate": "0.006"}}
                )
            case "GET", ["portfolios"]:
                return _json(
                    {
                        "portfolios": [
                            {"name": "Default", "uuid": "p-1", "type": "DEFAULT", "deleted": False},
                            {"uuid": "p-2", "deleted": True},
                        ]
                    }
                )
            case "GET", ["accounts"]:
                return self._page("accounts", self._accounts(), query, has_next=True)
            case "GET", ["orders", "historical", "batch"]:
                return self._page("orders", self._listed(query), query, has_next=True)
            case "GET", ["orders", "historical", "fills"]:
                newest_first = sorted(self.fills, key=lambda fill: str(fill["trade_time"]), reverse=True)
                return self._page("fills", newest_first, query, has_next=False)
            case "GET", ["orders", "historical", order_id]:
                if order_id not in self.orders:
                    return _json({"error": "NOT_FOUND", "message": "order with this orderID was not found"}, status=404)
                return _json({"order": self.orders[order_id]})
            case "POST", ["orders"]:
                return self._create(json.loads(body))
            case "POST", ["orders", "preview"]:
                return _json(
                    {
                        "order_total": "10.06",
                        "commission_total": "0.06",
                        "errs": [],
                        "warning": ["SMALL_ORDER"],
                        "best_bid": "99",
                        "best_ask": "101",
                    }
                )
            case "POST", ["orders", "batch_cancel"]:
                return self._cancel(json.loads(body)["order_ids"])
            case "POST", ["orders", "edit"]:
                return self._edit(json.loads(body))
        return _json({"error": "NOT_FOUND", "message": "no such call"}, status=404)

    def _page(self, name: str, rows: list[dict[str, Any]], query: Any, *, has_next: bool) -> web.Response:
        start = int(query.get("cursor") or 0)
        end = start + min(self.page, int(query.get("limit", 49)))
        more = end < len(rows)
        return _json({name: rows[start:end], "cursor": str(end) if more else ""} | ({"has_next": more} if has_next else {}))

    def _accounts(self) -> list[dict[str, Any]]:
        return [
            {
                "uuid": f"account-{name}",
                "currency": name,
                "available_balance": {"value": str(free), "currency": name},
                "hold": {"value": str(held), "currency": name},
                "deleted_at": None,
            }
            for name, (free, held) in self.balances.items()
        ]

    def _listed(self, query: Any) -> list[dict[str, Any]]:
        statuses = query.getall("order_status", [])
        assert not ("OPEN" in statuses and len(statuses) > 1), "OPEN is asked for alone"
        newest_first = reversed(self.orders.values())
        since = query.get("start_date", "")
        return [order for order in newest_first if (not statuses or order["status"] in statuses) and order["created_time"] >= since]

    def _create(self, body: dict[str, Any]) -> web.Response:
        (terms,) = body["order_configuration"].values()
        size = Decimal(terms.get("base_size", "0"))
        if size > 100:
            refusal = {
                "error": "INSUFFICIENT_FUND",
                "message": "Insufficient balance in source account",
                "new_order_failure_reason": "UNKNOWN_FAILURE_REASON",
                "preview_failure_reason": "PREVIEW_INSUFFICIENT_FUND",
            }
            return _json({"success": False, "error_response": refusal, "order_configuration": body["order_configuration"]})
        known = next((order for order in self.orders.values() if order["client_order_id"] == body["client_order_id"]), None)
        if known is None:
            known = {
                "order_id": str(uuid.uuid4()),
                "client_order_id": body["client_order_id"],
                "product_id": body["product_id"],
                "side": body["side"],
                "order_configuration": body["order_configuration"],
                "status": "OPEN",
                "created_time": _iso(self.now_s()),
                "filled_size": "0",
                "average_filled_price": "",
                "total_fees": "",
                "reject_reason": "REJECT_REASON_UNSPECIFIED",
                "number_of_fills": "0",
                "last_fill_time": None,
            }
            self.orders[known["order_id"]] = known
            self._told(known)
        success = {name: known[name] for name in ("order_id", "product_id", "side", "client_order_id")}
        return _json({"success": True, "success_response": success, "order_configuration": body["order_configuration"]})

    def _cancel(self, order_ids: list[str]) -> web.Response:
        results = []
        for order_id in order_ids:
            order = self.orders.get(order_id)
            alive = order is not None and order["status"] == "OPEN"
            if alive and order is not None:
                order["status"] = "CANCELLED"
                self._told(order)
            results.append(
                {
                    "success": alive,
                    "failure_reason": "UNKNOWN_CANCEL_FAILURE_REASON" if alive else "UNKNOWN_CANCEL_ORDER",
                    "order_id": order_id,
                }
            )
        return _json({"results": results})

    def _edit(self, body: dict[str, Any]) -> web.Response:
        order = self.orders.get(body["order_id"])
        if order is None or order["status"] != "OPEN":
            return _json({"success": False, "errors": [{"edit_failure_reason": "ONLY_OPEN_ORDERS_CAN_BE_EDITED"}]})
        order.setdefault("edit_history", []).append(
            {"price": body["price"], "size": body["size"], "replace_accept_timestamp": _iso(self.now_s())}
        )
        return _json({"success": True})

    def rest_order(self, client_order_id: str) -> None:
        """An order that somebody else has placed."""
        terms = {"limit_limit_gtc": {"base_size": "1", "limit_price": "2"}}
        self._create({"client_order_id": client_order_id, "product_id": "BTC-USD", "side": "BUY", "order_configuration": terms})

    def fill(self, client_order_id: str, *, size: str, price: str, commission: str = "0.1", trade_id: str | None = None) -> dict[str, Any]:
        """Fills so much of the order."""
        order = next(order for order in self.orders.values() if order["client_order_id"] == client_order_id)
        order["filled_size"] = str(Decimal(order["filled_size"]) + Decimal(size))
        (terms,) = order["order_configuration"].values()
        if Decimal(order["filled_size"]) == Decimal(terms["base_size"]):
            order["status"] = "FILLED"
        fill = {
            "entry_id": str(uuid.uuid4()),
            "trade_id": trade_id or str(uuid.uuid4()),
            "order_id": order["order_id"],
            "trade_time": _iso(self.now_s()),
            "trade_type": "FILL",
            "price": price,
            "size": size,
            "commission": commission,
            "product_id": order["product_id"],
            "liquidity_indicator": "MAKER",
            "size_in_quote": False,
            "side": order["side"],
        }
        self.fills.append(fill)
        self._told(order)
        return fill

    def _told(self, order: dict[str, Any]) -> None:
        if self.on_change is not None:
            self.on_change(order)


def _iso(seconds: float) -> str:
    whole = int(seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int((seconds - whole) * 1_000_000):06}Z"


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=json.dumps(body, separators=(",", ":")).encode(), content_type="application/json")
