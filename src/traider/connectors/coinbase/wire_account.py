"""Shapes of the account calls, as they stand on the wire."""

from .wire_orders import Amount, Wire


class Money(Wire, frozen=True, kw_only=True):
    value: Amount
    currency: str = ""


class Account(Wire, frozen=True, kw_only=True):
    uuid: str
    currency: str
    available_balance: Money
    hold: Money | None = None
    name: str | None = None
    type: str | None = None
    active: bool | None = None
    ready: bool | None = None


class AccountsReply(Wire, frozen=True, kw_only=True):
    accounts: list[Account]
    has_next: bool | None = None
    cursor: str | None = None


class KeyPermissions(Wire, frozen=True, kw_only=True):
    can_view: bool
    can_trade: bool
    can_transfer: bool
    portfolio_uuid: str | None = None
    portfolio_type: str | None = None


class Portfolio(Wire, frozen=True, kw_only=True):
    uuid: str
    name: str | None = None
    type: str | None = None
    deleted: bool | None = None


class PortfoliosReply(Wire, frozen=True, kw_only=True):
    portfolios: list[Portfolio]


class FeeTier(Wire, frozen=True, kw_only=True):
    maker_fee_rate: Amount
    taker_fee_rate: Amount
    pricing_tier: str | None = None


class TransactionSummary(Wire, frozen=True, kw_only=True):
    fee_tier: FeeTier
    total_volume: Amount = None
    total_fees: Amount = None


class ServerTime(Wire, frozen=True, kw_only=True, rename="camel"):
    epoch_millis: Amount = None
    iso: str | None = None
