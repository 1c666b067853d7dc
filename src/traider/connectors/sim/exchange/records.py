"""Orders, fills, accounts, keys and markets as plain values, and back: the words of the exchange's state file."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from .accounts import Account, Wallet
from .keys import Key, PublicKey
from .markets import Candle
from .orders import Fill, Kind, Order, Status, Terms, TimeInForce
from .products import Product
from .settings import FeeTier

_ELSEWHERE = {"account", "product", "terms", "fills", "expiry", "rests_at", "status"}  # of an order: told in a way of their own
_PLAIN = tuple(field.name for field in fields(Order) if field.name not in _ELSEWHERE)
_TERMS = tuple(field.name for field in fields(Terms))
_CANDLE = tuple(field.name for field in fields(Candle))


def order_record(order: Order) -> dict[str, Any]:
    return {name: getattr(order, name) for name in _PLAIN} | {
        "account": order.account.name,
        "product": order.product.product_id,
        "status": str(order.status),
        "terms": {name: getattr(order.terms, name) for name in _TERMS},
    }


def order_of(record: Mapping[str, Any], account: Account, product: Product) -> Order:
    """The order as it was; it rests nowhere, and has no fills yet."""
    terms = record["terms"] | {
        "kind": Kind(record["terms"]["kind"]),
        "tif": TimeInForce(record["terms"]["tif"]),
        "slices": tuple((int(ticks), int(lots)) for ticks, lots in record["terms"]["slices"]),
    }
    plain = {name: record[name] for name in _PLAIN} | {
        "edits": [(ticks, lots, ts_ns) for ticks, lots, ts_ns in record["edits"]],
        "pending": tuple(record["pending"]),
    }
    return Order(**plain, account=account, product=product, status=Status(record["status"]), terms=Terms(**terms))


def fill_record(fill: Fill) -> list[Any]:
    order = fill.order
    return [order.account.name, order.order_id, *(getattr(fill, name) for name in _FILL)]


_FILL = tuple(field.name for field in fields(Fill) if field.name != "order")


def fill_of(record: list[Any], order: Order) -> Fill:
    return Fill(order=order, **dict(zip(_FILL, record[2:], strict=True)))


def account_record(account: Account) -> dict[str, Any]:
    tier = account.tier
    return {
        "wallets": {wallet.currency: [wallet.available, wallet.hold, wallet.created_ns] for wallet in account.wallets.values()},
        "fill_count": account.fill_count,
        "tier": None if tier is None else [tier.name, tier.usd_from, tier.maker, tier.taker],
        "volume": {str(day): amount for day, amount in account.volume.items()},
        "total_volume": account.total_volume,
        "total_fees": account.total_fees,
    }


def restore_account(account: Account, record: Mapping[str, Any], wallet_of: Any) -> None:
    """Puts into a new account what the record says of it."""
    for currency, (available, hold, created_ns) in record["wallets"].items():
        wallet: Wallet = wallet_of(account, currency)
        wallet.available, wallet.hold, wallet.created_ns = available, hold, created_ns
    account.fill_count = record["fill_count"]
    account.tier = None if record["tier"] is None else FeeTier(*record["tier"])
    account.volume = {int(day): amount for day, amount in record["volume"].items()}
    account.total_volume, account.total_fees = record["total_volume"], record["total_fees"]


def key_record(key: Key) -> dict[str, Any]:
    """Without the secret, which the exchange does not know."""
    pem = key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return {"public": pem, "account": key.account.name, "scopes": sorted(key.scopes), "revoked": key.revoked}


def key_of(name: str, record: Mapping[str, Any], account: Account) -> Key:
    public: PublicKey = load_pem_public_key(record["public"].encode())  # type: ignore[assignment]  # one of the two kinds that are issued
    return Key(name, public, account, set(record["scopes"]), revoked=record["revoked"])


def candle_record(candle: Candle) -> list[int]:
    return [getattr(candle, name) for name in _CANDLE]


def candle_of(record: list[int]) -> Candle:
    return Candle(*record)
