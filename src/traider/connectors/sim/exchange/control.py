"""The control API: faults, the truth, the clock, and what a test wants to happen. Documented in ``docs/exchange-simulator.md``."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any, get_args

import msgspec
from aiohttp import web

from .accounts import Account
from .argument_checks import SPAN_S
from .calls import Answer, Call, Route, Router, answer, refusal
from .keys import SCOPES, KeyKind
from .market_calls import PREFIX
from .market_shapes import book
from .orders import SIDES
from .refusals import OrderRefusedError, RequestRefusedError, bad_request
from .settings import Switches
from .shapes import created, iso
from .simulator import Simulator
from .units import parse_atoms

_MOST_LEVELS = 100_000


def _listed(call: Call) -> Call:
    """The call with the list that is its body under the name ``rules``."""
    return dataclasses.replace(call, body=b'{"rules":' + call.body + b"}")


class Control:
    """``drain`` waits until the sockets have taken what they were sent."""

    def __init__(self, simulator: Simulator, drain: Callable[[], Awaitable[None]]) -> None:
        self._simulator = simulator
        self._drain = drain
        self._router = Router(
            [
                Route("GET", "/", None, self._index),
                Route("POST", "/faults", None, self._add_faults),
                Route("GET", "/faults", None, self._faults),
                Route("DELETE", "/faults", None, self._clear_faults),
                Route("DELETE", "/faults/{}", None, self._remove_fault),
                Route("GET", "/truth", None, self._truth),
                Route("GET", "/truth/book", None, self._book),
                Route("GET", "/clock", None, self._clock),
                Route("POST", "/accounts", None, self._open_account),
                Route("POST", "/keys", None, self._issue_key),
                Route("POST", "/orders", None, self._order),
                Route("POST", "/trades", None, self._trade),
                Route("POST", "/levels", None, self._levels),
                Route("GET", "/switches", None, self._switches),
                Route("POST", "/switches", None, self._set_switches),
                Route("POST", "/reset", None, self._reset),
            ]
        )

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        query = {name: request.query.getall(name) for name in request.query}
        call = Call(request.method, "/" + request.path.strip("/"), query, await request.read(), request.remote or "")
        made = await self._answer(call)
        return web.Response(status=made.status, body=made.body, content_type="application/json")

    async def _answer(self, call: Call) -> Answer:
        try:
            if (call.method, call.path) == ("POST", "/clock"):
                return answer(await self._set_clock(call))
            route, call.parts = self._router.find(call.method, call.path)
            return answer(route.handle(call))
        except RequestRefusedError as refused:
            return refusal(refused)

    def _index(self, call: Call) -> dict[str, Any]:
        """Where everything is."""
        return {
            "exchange": {
                "products": list(self._simulator.exchange.products),
                "accounts": [account.name for account in self._simulator.exchange.accounts.values()],
                "prefix": PREFIX,
            },
            "messages_sent": self._simulator.hub.messages,
            "markets": {name: {"messages": player.messages, "ended": player.ended} for name, player in self._simulator.players.items()},
        }

    def _add_faults(self, call: Call) -> dict[str, Any]:
        body = call.json() if call.body.lstrip()[:1] != b"[" else _listed(call).json()
        given = body.get("rules", [body])
        if not isinstance(given, list):
            raise bad_request("give a list of rules")
        return {"rules": [rule.told() for rule in self._simulator.faults.add_all(given)]}

    def _faults(self, call: Call) -> dict[str, Any]:
        return {"rules": [rule.told() for rule in self._simulator.faults.rules.values()]}

    def _clear_faults(self, call: Call) -> dict[str, Any]:
        self._simulator.faults.clear()
        return {"rules": []}

    def _remove_fault(self, call: Call) -> dict[str, Any]:
        number = int(call.parts[0]) if call.parts[0].isdigit() else 0
        if self._simulator.faults.rules.pop(number, None) is None:
            raise bad_request(f"there is no rule {call.parts[0]}")
        return self._faults(call)

    def _truth(self, call: Call) -> dict[str, Any]:
        since = int(call.word("since", "0")) if call.word("since", "0").isdigit() else 0
        return self._simulator.truth.report(since=since, account=call.word("account"))

    def _book(self, call: Call) -> dict[str, Any]:
        product = self._simulator.bench.product(call.word("product_id"))
        market = self._simulator.exchange.market_of(product)
        return book(product, market, self._simulator.exchange.now_ns(), call.number("limit", _MOST_LEVELS, _MOST_LEVELS))

    def _clock(self, call: Call) -> dict[str, Any]:
        agenda = self._simulator.agenda
        return {"now_ns": agenda.now_ns(), "iso": iso(agenda.now_ns()), "virtual": agenda.virtual, "skew_s": agenda.skew_ns / 1e9}

    async def _set_clock(self, call: Call) -> dict[str, Any]:
        """``advance`` virtual time by seconds; ``skew`` sets what is told of it off by seconds."""
        body, agenda = call.json(), self._simulator.agenda
        if not body.keys() <= {"advance", "skew"} or not body:
            raise bad_request("give advance or skew, in seconds")
        for name, value in body.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > SPAN_S or (name == "advance" and value < 0):
                raise bad_request(f"{name} is {value!r}; give seconds, of ten years at most")
        if "advance" in body and not agenda.virtual:
            raise bad_request("time is not virtual; start the exchange with --virtual")
        if "skew" in body:
            agenda.skew_ns = round(body["skew"] * 1e9)
        if "advance" in body:
            await agenda.advance(body["advance"], self._drain)
        return self._clock(call)

    def _open_account(self, call: Call) -> dict[str, Any]:
        """``name``, ``funds`` by currency, and a key unless ``key`` is null: ``{"kind": "ecdsa", "scopes": ["view", "trade"]}``."""
        body = call.json()
        name, funds = body.get("name"), body.get("funds", {})
        if not isinstance(name, str) or not name or any(a.name == name for a in self._simulator.exchange.accounts.values()):
            raise bad_request("name is missing, or there is such an account")
        amounts = {currency: parse_atoms(value) for currency, value in funds.items()} if isinstance(funds, dict) else {"": None}
        if any(value is None for value in amounts.values()):
            raise bad_request('funds are amounts by currency, as text: {"USD": "1000"}')
        account = self._simulator.open_account(name, {currency: value or 0 for currency, value in amounts.items()})
        key = body.get("key", {})
        return {"name": name, "user_id": account.user_id, "portfolio_uuid": account.portfolio_id} | (
            {"key": self._key(account, key)} if key is not None else {}
        )

    def _issue_key(self, call: Call) -> dict[str, Any]:
        body = call.json()
        return {"key": self._key(self._account(body), body)}

    def _key(self, account: Account, given: Any) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise bad_request('key is an object: {"kind": "ecdsa", "scopes": ["view", "trade"]}')
        kind, scopes = given.get("kind", "ecdsa"), given.get("scopes", ["view", "trade"])
        if kind not in get_args(KeyKind) or not isinstance(scopes, list) or set(scopes) - set(SCOPES):
            raise bad_request(f"kind is one of {', '.join(get_args(KeyKind))}; scopes are of {', '.join(SCOPES)}")
        return self._simulator.issue_key(account, kind, scopes)

    def _account(self, body: dict[str, Any]) -> Account:
        name = body.get("account")
        if isinstance(name, str):
            return self._simulator.bench.account(name)
        return next(iter(self._simulator.exchange.accounts.values()))

    def _order(self, call: Call) -> dict[str, Any]:
        """An order of an account, placed without its key: ``account``, ``source``, and what a create request has."""
        body = call.json()
        try:
            order = self._simulator.entry.create(self._account(body), body, source=str(body.get("source", "RETAIL_ADVANCED")))
        except OrderRefusedError as refused:
            raise bad_request(f"{refused.reason}: {refused.message}") from None
        return created(order)

    def _trade(self, call: Call) -> dict[str, Any]:
        """A trade of the market: ``product_id``, the taker's ``side``, ``price``, ``size``."""
        body = call.json()
        side, ticks, lots = self._place(body)
        if not lots:
            raise bad_request("a trade has a size above 0")
        product = self._simulator.bench.product(str(body.get("product_id")))
        self._simulator.exchange.step(self._simulator.exchange.market_of(product), lambda matcher: matcher.on_trade(side, ticks, lots))
        return {"done": True}

    def _levels(self, call: Call) -> dict[str, Any]:
        """Sizes of the market's book: ``product_id``, ``levels`` of ``side``, ``price``, ``size`` (0 removes)."""
        body = call.json()
        product = self._simulator.bench.product(str(body.get("product_id")))
        levels = body.get("levels")
        if not isinstance(levels, list) or not all(isinstance(row, dict) for row in levels):
            raise bad_request("levels is a list of objects with side, price and size")
        rows = [self._place(row | {"product_id": product.product_id}) for row in levels]
        market = self._simulator.exchange.market_of(product)
        for side, ticks, lots in rows:
            market.matcher.on_level(side, ticks, lots)
        self._simulator.exchange.step(market, lambda matcher: matcher.uncross())
        return {"done": True}

    def _place(self, body: dict[str, Any]) -> tuple[int, int, int]:
        product = self._simulator.bench.product(str(body.get("product_id")))
        side, price, size = SIDES.get(str(body.get("side"))), parse_atoms(body.get("price")), parse_atoms(body.get("size"))
        if side is None or not price or size is None or price % product.grid.tick or size % product.grid.lot:
            raise bad_request("give side (BUY or SELL), price and size, as text and on the product's grid")
        return side, price // product.grid.tick, size // product.grid.lot

    def _switches(self, call: Call) -> dict[str, Any]:
        return dataclasses.asdict(self._simulator.exchange.switches)

    def _set_switches(self, call: Call) -> dict[str, Any]:
        try:
            changed = msgspec.convert(self._switches(call) | call.json(), Switches)
        except msgspec.ValidationError as error:
            raise bad_request(f"switches: {error}") from None
        unknown = call.json().keys() - self._switches(call).keys()
        if unknown:
            raise bad_request(f"there is no switch {', '.join(sorted(unknown))}")
        for name, value in dataclasses.asdict(changed).items():
            setattr(self._simulator.exchange.switches, name, value)
        return self._switches(call)

    def _reset(self, call: Call) -> dict[str, Any]:
        self._simulator.reset()
        return {"done": True}
