"""The REST interface: who may call what, how often, and the answer."""

from .account_calls import AccountCalls
from .calls import Answer, Call, Route, Router, answer, refusal
from .market_calls import MarketCalls
from .order_calls import OrderCalls
from .order_entry import OrderEntry
from .rates import Limiter, headers
from .refusals import RequestRefusedError, forbidden, too_many
from .tokens import TokenChecker

_CACHED = 1_000  # public answers that are kept


class Api:
    """``admit`` decides whether a call may be made, ``perform`` makes it. Both are done at once: nothing comes in between."""

    def __init__(self, entry: OrderEntry, tokens: TokenChecker) -> None:
        self._exchange = entry.exchange
        self._tokens = tokens
        self._limiter = Limiter()
        self._cache: dict[tuple[str, str], tuple[int, Answer]] = {}
        routes = [*MarketCalls(entry.exchange).routes(), *AccountCalls(entry.exchange).routes(), *OrderCalls(entry).routes()]
        self._router = Router(routes)

    def admit(self, call: Call) -> tuple[Route, dict[str, str]]:
        """The route and the headers that tell of the rate limit; ``RequestRefusedError`` where the call may not be made."""
        route, call.parts = self._router.find(call.method, call.path)
        now_ns, switches = self._exchange.now_ns(), self._exchange.switches
        if route.scope is not None:
            call.key = self._tokens.request(call.headers.get("authorization"), method=call.method, path=call.path, now_ns=now_ns)
        told: dict[str, str] = {}
        if switches.limits:
            name, per_s = (call.address, switches.public_per_s) if call.key is None else (call.key.account.user_id, switches.private_per_s)
            left = self._limiter.take(name, per_s, switches.burst, now_ns)
            told = headers(per_s, switches.burst, left) if call.key is not None else {}
            if left < 0:
                raise too_many(switches.limit_body, told)
        if route.scope is not None and call.key is not None and route.scope not in call.key.scopes:
            raise forbidden(told)
        return route, told

    def perform(self, call: Call, route: Route, told: dict[str, str]) -> Answer:
        """What is answered, errors included."""
        kept_ns = round(self._exchange.switches.public_cache_s * 1e9)
        cached = kept_ns > 0 and route.scope is None and "no-cache" not in call.headers.get("cache-control", "")
        name = (call.path, repr(sorted(call.query.items())))
        if cached and name in self._cache and self._exchange.now_ns() - self._cache[name][0] < kept_ns:
            return self._cache[name][1]
        try:
            made = answer(route.handle(call))
        except RequestRefusedError as refused:
            made = refusal(refused)
        if cached:
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            self._cache[name] = (self._exchange.now_ns(), made)
        made.headers.update(told)
        return made
