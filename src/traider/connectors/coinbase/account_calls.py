"""The venue's account calls, in our words."""

from traider.domain.venue import Balance, Permissions, VenueUnavailableError

from . import wire_account as wire
from .malformed import MalformedError
from .read_account import Fees, read_balance, read_fees, read_permissions, read_time_ns, summed
from .rest import Rest
from .server_clock import ServerClock

_PAGE = "250"


class AccountCalls:
    """Balances, permissions, fees and time over REST."""

    def __init__(self, rest: Rest, server_clock: ServerClock) -> None:
        self._rest = rest
        self._server_clock = server_clock

    async def balances(self) -> tuple[Balance, ...]:
        """Every currency that the account has a wallet of, by name."""
        pages = self._rest.pages(
            "/accounts", wire.AccountsReply, [("limit", _PAGE)], lambda page: (page.cursor or "") if page.has_next is not False else ""
        )
        accounts: dict[str, wire.Account] = {}
        async for page in pages:
            # Pages can overlap when a wallet is opened meanwhile: each counts once.
            accounts |= {account.uuid: account for account in page.accounts}
        try:
            return summed([read_balance(account) for account in accounts.values()])
        except MalformedError as error:
            raise VenueUnavailableError(str(error)) from None

    async def permissions(self) -> Permissions:
        return read_permissions(await self._rest.ask("/key_permissions", wire.KeyPermissions))

    async def portfolios(self) -> tuple[wire.Portfolio, ...]:
        """Those that are not deleted."""
        reply = await self._rest.ask("/portfolios", wire.PortfoliosReply)
        return tuple(portfolio for portfolio in reply.portfolios if not portfolio.deleted)

    async def fees(self) -> Fees:
        """The tier that the account is in."""
        summary = await self._rest.ask("/transaction_summary", wire.TransactionSummary, [("product_type", "SPOT")])
        try:
            return read_fees(summary)
        except MalformedError as error:
            raise VenueUnavailableError(str(error)) from None

    async def server_time_ns(self) -> int:
        """The venue's time, from which the client's tokens are dated from now on."""
        sent_ns = self._server_clock.monotonic_ns()
        reply = await self._rest.ask("/time", wire.ServerTime, private=False)
        received_ns = self._server_clock.monotonic_ns()
        try:
            server_ns = read_time_ns(reply)
        except MalformedError as error:
            raise VenueUnavailableError(str(error)) from None
        self._server_clock.learn(sent_ns=sent_ns, server_ns=server_ns, received_ns=received_ns)
        return server_ns
