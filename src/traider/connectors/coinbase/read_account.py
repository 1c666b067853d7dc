"""Balances, permissions and fees out of the venue's replies."""

from decimal import Decimal

import msgspec

from traider.domain.venue import Balance, Permissions

from . import wire_account as wire
from .amounts import amount
from .malformed import MalformedError


class Fees(msgspec.Struct, frozen=True, kw_only=True):
    """What the account pays now, as fractions of the notional: 0.006 is 0.6 %."""

    maker: Decimal
    taker: Decimal
    tier: str = ""


def read_balance(account: wire.Account) -> Balance:
    """One wallet. USD and USDC are different ones."""
    what = f"account {account.uuid}"
    if not account.currency:
        raise MalformedError(f"{what} has no currency")
    return Balance(
        currency=account.currency,
        available=amount(account.available_balance.value, f"{what}: available_balance"),
        held=amount(account.hold.value if account.hold else None, f"{what}: hold"),
    )


def summed(balances: list[Balance]) -> tuple[Balance, ...]:
    """One balance a currency, by name: several wallets of one currency are one purse."""
    purses: dict[str, Balance] = {}
    for balance in balances:
        other = purses.get(balance.currency)
        if other is not None:
            balance = Balance(currency=balance.currency, available=other.available + balance.available, held=other.held + balance.held)
        purses[balance.currency] = balance
    return tuple(purses[currency] for currency in sorted(purses))


def read_permissions(permissions: wire.KeyPermissions) -> Permissions:
    """What the key may do."""
    return Permissions(
        can_view=permissions.can_view,
        can_trade=permissions.can_trade,
        can_transfer=permissions.can_transfer,
        portfolio=permissions.portfolio_uuid or "",
    )


def read_fees(summary: wire.TransactionSummary) -> Fees:
    """The account's fee tier."""
    tier = summary.fee_tier
    return Fees(
        maker=amount(tier.maker_fee_rate, "maker_fee_rate"),
        taker=amount(tier.taker_fee_rate, "taker_fee_rate"),
        tier=tier.pricing_tier or "",
    )


def read_time_ns(time: wire.ServerTime) -> int:
    """The venue's time, which it gives in milliseconds."""
    milliseconds = amount(time.epoch_millis, "epochMillis")
    if milliseconds <= 0:
        raise MalformedError("the venue's time is missing")
    return int(milliseconds * 1_000_000)
