"""Private calls about the account itself: balances, key, portfolio, fees."""

from typing import Any

from . import shapes
from .accounts import Account, Wallet
from .calls import Call, Route
from .exchange import Exchange
from .market_calls import PREFIX
from .paging import page
from .refusals import not_found, unauthorized
from .units import ONE, text

_DEFAULT_LIMIT, _MOST = 49, 250
_CASH = ("USD", "USDC")


class AccountCalls:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def routes(self) -> list[Route]:
        return [
            Route("GET", f"{PREFIX}/accounts", "view", self._accounts),
            Route("GET", f"{PREFIX}/accounts/{{}}", "view", self._account),
            Route("GET", f"{PREFIX}/key_permissions", "view", self._permissions),
            Route("GET", f"{PREFIX}/portfolios", "view", self._portfolios),
            Route("GET", f"{PREFIX}/portfolios/{{}}", "view", self._breakdown),
            Route("GET", f"{PREFIX}/transaction_summary", "view", self._summary),
            Route("GET", f"{PREFIX}/payment_methods", "view", lambda _: {"payment_methods": []}),
            Route("GET", "/v2/accounts", "view", self._old_accounts),
        ]

    def _accounts(self, call: Call) -> dict[str, Any]:
        owner = owner_of(call)
        wallets = list(enumerate(owner.wallets.values(), start=1))[::-1]
        shown, cursor = page(
            wallets, number=lambda pair: pair[0], cursor=call.word("cursor"), limit=call.number("limit", _DEFAULT_LIMIT, _MOST)
        )
        return {
            "accounts": [shapes.account(wallet, owner) for _, wallet in shown],
            "has_next": bool(cursor),
            "cursor": cursor,
            "size": len(shown),
        }

    def _account(self, call: Call) -> dict[str, Any]:
        owner = owner_of(call)
        wallet = next((wallet for wallet in owner.wallets.values() if wallet.uuid == call.parts[0]), None)
        if wallet is None:
            raise not_found("account was not found")
        return {"account": shapes.account(wallet, owner)}

    def _permissions(self, call: Call) -> dict[str, Any]:
        owner, scopes = owner_of(call), call.key.scopes if call.key else set()
        return {
            "can_view": "view" in scopes,
            "can_trade": "trade" in scopes,
            "can_transfer": "transfer" in scopes,
            "portfolio_uuid": owner.portfolio_id,
            "portfolio_type": "DEFAULT",
        }

    def _portfolios(self, call: Call) -> dict[str, Any]:
        if call.word("portfolio_type") not in ("", "DEFAULT", "UNDEFINED"):
            return {"portfolios": []}
        return {"portfolios": [_portfolio(owner_of(call))]}

    def _breakdown(self, call: Call) -> dict[str, Any]:
        owner = owner_of(call)
        if call.parts[0] != owner.portfolio_id:
            raise not_found("portfolio was not found")
        values = {currency: self._worth(wallet) for currency, wallet in owner.wallets.items()}
        total = sum(values.values())
        cash = sum(value for currency, value in values.items() if currency in _CASH)
        balances = {
            "total_balance": total,
            "total_futures_balance": 0,
            "total_cash_equivalent_balance": cash,
            "total_crypto_balance": total - cash,
            "futures_unrealized_pnl": 0,
            "perp_unrealized_pnl": 0,
        }
        return {
            "breakdown": {
                "portfolio": _portfolio(owner),
                "portfolio_balances": {name: shapes.money(value, "USD") for name, value in balances.items()},
                "spot_positions": [self._position(wallet, values[wallet.currency], total) for wallet in owner.wallets.values()],
                "perp_positions": [],
                "futures_positions": [],
            }
        }

    def _position(self, wallet: Wallet, value: int, total: int) -> dict[str, Any]:
        return {
            "asset": wallet.currency,
            "account_uuid": wallet.uuid,
            "total_balance_fiat": float(text(value)),
            "total_balance_crypto": float(text(wallet.available + wallet.hold)),
            "available_to_trade_fiat": float(text(self._value(wallet.currency, wallet.available))),
            "allocation": float(shapes.ratio(value, total)),
            "is_cash": wallet.currency in _CASH,
        }

    def _worth(self, wallet: Wallet) -> int:
        return self._value(wallet.currency, wallet.available + wallet.hold)

    def _value(self, currency: str, amount: int) -> int:
        """So much of a currency in atoms of USD, at the market's price."""
        if currency in _CASH:
            return amount
        product = self._exchange.products.get(f"{currency}-USD")
        return amount * self._exchange.market_of(product).price() * product.grid.tick // ONE if product else 0

    def _summary(self, call: Call) -> dict[str, Any]:
        owner, tiers = owner_of(call), self._exchange.config.fee_tiers
        tier = owner.fee_tier(tiers, self._exchange.now_ns())
        total = sum(self._worth(wallet) for wallet in owner.wallets.values())
        return shapes.transaction_summary(owner, tier, tiers, text(total))

    def _old_accounts(self, call: Call) -> dict[str, Any]:
        owner = owner_of(call)
        return {
            "pagination": {"ending_before": None, "starting_after": None, "limit": 100, "order": "desc", "next_uri": None},
            "data": [
                {
                    "id": wallet.uuid,
                    "name": f"{currency} Wallet",
                    "primary": False,
                    "type": "fiat" if currency == "USD" else "wallet",
                    "currency": {"code": currency, "name": currency},
                    "balance": {"amount": text(wallet.available), "currency": currency},
                }
                for currency, wallet in owner.wallets.items()
            ],
        }


def owner_of(call: Call) -> Account:
    """Whose key signed the call."""
    if call.key is None:
        raise unauthorized()
    return call.key.account


def _portfolio(owner: Account) -> dict[str, Any]:
    return {"name": owner.name, "uuid": owner.portfolio_id, "type": "DEFAULT", "deleted": False}
