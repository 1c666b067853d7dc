"""What the routes answer with: the live view where it knows, the store where it does not or for what is past."""

from traider.domain.state import AccountState
from traider.storage.access import AccessStore
from traider.storage.repository import Repository

from .errors import ApiError
from .live import LiveView
from .order_book import OrderBook
from .schemas import AuditRowOut, EquityPointOut, FillOut, OrderOut, PortfolioOut, RiskOut
from .views import audit_out, equity_out, fill_out, order_out, portfolio_out, risk_out


class Reads:
    """Each method is one answer of the API."""

    def __init__(self, *, live: LiveView, book: OrderBook, repository: Repository, access: AccessStore) -> None:
        self._live = live
        self._book = book
        self._repository = repository
        self._access = access

    async def portfolio(self) -> PortfolioOut:
        account: AccountState | None = self._live.account or await self._repository.account()
        if account is None:
            raise ApiError(503, "the guard has not told of the account yet")
        return portfolio_out(account)

    async def risk(self) -> RiskOut:
        risk = self._live.risk or await self._repository.risk()
        if risk is None:
            raise ApiError(503, "the guard has not told of the limits yet")
        return risk_out(risk)

    async def equity(self, limit: int) -> list[EquityPointOut]:
        return [equity_out(point) for point in await self._repository.equity(limit)]

    async def orders(self, *, open_only: bool, limit: int) -> list[OrderOut]:
        stored = await self._repository.orders(open_only=open_only, limit=limit)
        return [order_out(order) for order in self._book.orders(stored, open_only=open_only, limit=limit)]

    async def fills(self, limit: int) -> list[FillOut]:
        return [fill_out(fill) for fill in self._book.fills(await self._repository.fills(limit), limit)]

    async def audit(self, limit: int) -> list[AuditRowOut]:
        return [audit_out(entry) for entry in await self._access.audit(limit)]
