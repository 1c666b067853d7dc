"""Orders, fills and accounts as the exchange writes them."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Any

from .accounts import Account, Wallet
from .orders import SIDE_NAMES, Fill, Kind, Order, Status, TimeInForce
from .refusals import OrderRefusedError
from .settings import FeeTier
from .units import decimal, scaled, text

_FIAT = frozenset({"USD", "EUR", "GBP"})
_RATIO = Context(prec=24, rounding=ROUND_HALF_EVEN)  # an average is no exact number
_TRIGGERS = {True: "STOP_TRIGGERED", False: "STOP_PENDING"}


def iso(ts_ns: int, *, digits: int = 9) -> str:
    """RFC 3339 with nanoseconds, or fewer digits."""
    second, part = divmod(ts_ns, 10**9)
    tail = f"{part:09d}"[:digits]
    return f"{_to_the_second(second)}.{tail}Z" if tail else f"{_to_the_second(second)}Z"


@lru_cache(maxsize=64)
def _to_the_second(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"


def micro(ts_ns: int) -> str:
    return iso(ts_ns, digits=6)


def ratio(part: int, whole: int) -> str:
    """The quotient of two amounts; 0 where there is nothing to divide by."""
    if not whole:
        return "0"
    return f"{_RATIO.divide(Decimal(part), Decimal(whole)).normalize(_RATIO):f}"


def money(amount: int, currency: str) -> dict[str, str]:
    return {"value": text(amount), "currency": currency}


def account(wallet: Wallet, owner: Account) -> dict[str, Any]:
    kind = "FIAT" if wallet.currency in _FIAT else "CRYPTO"
    return {
        "uuid": wallet.uuid,
        "name": f"{wallet.currency} Wallet",
        "currency": wallet.currency,
        "available_balance": money(wallet.available, wallet.currency),
        "default": True,
        "active": True,
        "created_at": micro(wallet.created_ns),
        "updated_at": micro(wallet.created_ns),
        "deleted_at": None,
        "type": f"ACCOUNT_TYPE_{kind}",
        "ready": True,
        "hold": money(wallet.hold, wallet.currency),
        "retail_portfolio_id": owner.portfolio_id,
        "platform": "ACCOUNT_PLATFORM_CONSUMER",
    }


def average_price(order: Order) -> str:
    """Of what was filled so far, in quote currency."""
    return ratio(order.filled_value, order.filled_lots * order.product.grid.lot)


def completion(order: Order) -> str:
    if order.status is Status.FILLED:
        return "100"  # what is left of a quote size buys no lot
    if order.terms.budget:
        return ratio(100 * min(order.filled_value + order.fees, order.terms.budget), order.terms.budget)
    return ratio(100 * order.filled_lots, order.lots)


def trigger_status(order: Order) -> str:
    return _TRIGGERS[order.triggered] if order.terms.kind in (Kind.STOP_LIMIT, Kind.BRACKET) else "INVALID_ORDER_TYPE"


def order(order: Order) -> dict[str, Any]:
    """An order as REST tells it. What isn't there is left out or empty: the official client can't read a null object."""
    value, fees = order.filled_value, order.fees
    filled = order.filled_lots
    told: dict[str, Any] = {
        "order_id": order.order_id,
        "product_id": order.product.product_id,
        "user_id": order.account.user_id,
        "order_configuration": order.configuration,
        "side": SIDE_NAMES[order.side],
        "client_order_id": order.client_order_id,
        "status": str(order.status),
        "time_in_force": str(order.terms.tif),
        "created_time": micro(order.created_ns),
        "completion_percentage": completion(order),
        "filled_size": order.product.grid.size(filled),
        "average_filled_price": average_price(order),
        "fee": "",
        "number_of_fills": str(len(order.fills)),
        "filled_value": text(value),
        "pending_cancel": order.status is Status.CANCEL_QUEUED,
        "size_in_quote": bool(order.terms.budget),
        "total_fees": text(fees),
        "size_inclusive_of_fees": bool(order.terms.budget),
        "total_value_after_fees": text(value + fees if order.side > 0 else value - fees),
        "trigger_status": trigger_status(order),
        "order_type": str(order.terms.kind),
        "reject_reason": order.reject_reason,
        "settled": order.status is Status.FILLED,
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": order.cancel_reason,
        "order_placement_source": order.source,
        "outstanding_hold_amount": text(order.hold),
        "is_liquidation": False,
        "last_fill_time": micro(order.last_fill_ns) if order.last_fill_ns else None,
        "edit_history": [
            {"price": order.product.grid.price(ticks), "size": order.product.grid.size(lots), "replace_accept_timestamp": micro(ts_ns)}
            for ticks, lots, ts_ns in order.edits
        ],
        "leverage": "",
        "margin_type": "UNKNOWN_MARGIN_TYPE",
        "retail_portfolio_id": order.account.portfolio_id,
        "originating_order_id": order.parent_id,
        "attached_order_id": order.attached_id,
        "workable_size": order.product.grid.size(order.remaining) if not order.ended else "0",
        "workable_size_completion_pct": completion(order),
        "commission_detail_total": {"total_commission": text(fees)},
        "product_details": {},  # of an equity
        "cost_basis_method": "COST_BASIS_METHOD_UNSPECIFIED",
        "displayed_order_config": "UNKNOWN_DISPLAYED_ORDER_CONFIG",
        "last_update_time": micro(order.updated_ns),
    }
    if order.attached is not None:
        told["attached_order_configuration"] = order.attached
    if order.status is Status.EDIT_QUEUED:
        ticks, lots = order.pending
        told["current_pending_replace"] = {"price": order.product.grid.price(ticks), "size": order.product.grid.size(lots)}
    return told


def fill(fill: Fill) -> dict[str, Any]:
    order, grid = fill.order, fill.order.product.grid
    in_quote = bool(order.terms.budget)
    return {
        "entry_id": fill.entry_id,
        "trade_id": fill.trade_id,
        "order_id": order.order_id,
        "trade_time": micro(fill.ts_ns),
        "trade_type": "FILL",
        "price": grid.price(fill.ticks),
        "size": text(grid.cost(fill.ticks, fill.lots)) if in_quote else grid.size(fill.lots),
        "commission": text(fill.fee),
        "product_id": order.product.product_id,
        "sequence_timestamp": micro(fill.ts_ns),
        "liquidity_indicator": "MAKER" if fill.maker else "TAKER",
        "size_in_quote": in_quote,
        "user_id": order.account.user_id,
        "side": SIDE_NAMES[order.side],
        "retail_portfolio_id": order.account.portfolio_id,
        "commission_detail_total": {"total_commission": text(fill.fee)},
    }


_TYPE_WORDS = {
    Kind.MARKET: "Market",
    Kind.LIMIT: "Limit",
    Kind.STOP_LIMIT: "Stop Limit",
    Kind.BRACKET: "Bracket",
    Kind.TWAP: "TWAP",
    Kind.SCALED: "Scaled",
}


def user_order(order: Order) -> dict[str, Any]:
    """An order as the user channel tells it: totals, no trades; nothing is left of an order that is over."""
    grid = order.product.grid
    return {
        "avg_price": average_price(order),
        "cancel_reason": order.cancel_reason,
        "client_order_id": order.client_order_id,
        "completion_percentage": completion(order),
        "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE",
        "cumulative_quantity": grid.size(order.filled_lots),
        "filled_value": text(order.filled_value),
        "leaves_quantity": "0" if order.ended else grid.size(order.remaining),
        "limit_price": grid.price(order.ticks) if order.ticks else "0",
        "number_of_fills": str(len(order.fills)),
        "order_id": order.order_id,
        "order_side": SIDE_NAMES[order.side],
        "order_type": _TYPE_WORDS[order.terms.kind],
        "outstanding_hold_amount": text(order.hold),
        "post_only": "true" if order.terms.post_only else "false",
        "product_id": order.product.product_id,
        "product_type": "SPOT",
        "reject_reason": order.reject_reason,
        "retail_portfolio_id": order.account.portfolio_id,
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
        "status": str(order.status),
        "stop_price": grid.price(order.stop_ticks) if order.stop_ticks else "",
        "time_in_force": str(order.terms.tif),
        "total_fees": text(order.fees),
        "total_value_after_fees": text(order.filled_value + order.fees if order.side > 0 else order.filled_value - order.fees),
        "trigger_status": trigger_status(order),
        "creation_time": micro(order.created_ns),
        "end_time": iso(order.terms.end_ns, digits=0) if order.terms.tif is TimeInForce.GTD else "0001-01-01T00:00:00Z",
        "start_time": iso(order.terms.start_ns, digits=0) if order.terms.start_ns else "0001-01-01T00:00:00Z",
    }


def create_refused(refused: OrderRefusedError, configuration: object) -> dict[str, Any]:
    """A refused order: HTTP 200, and both words filled, because one client reads only the one and another the other."""
    told: dict[str, Any] = {
        "success": False,
        "error_response": {
            "error": refused.reason,
            "message": refused.message,
            "error_details": refused.message,
            "preview_failure_reason": refused.preview,
            "new_order_failure_reason": refused.reason,
        },
    }
    if isinstance(configuration, dict):
        told["order_configuration"] = configuration
    return told


def created(order: Order) -> dict[str, Any]:
    response = {
        "order_id": order.order_id,
        "product_id": order.product.product_id,
        "side": SIDE_NAMES[order.side],
        "client_order_id": order.client_order_id,
    }
    if order.attached_id:
        response["attached_order_id"] = order.attached_id
    return {"success": True, "success_response": response, "order_configuration": order.configuration}


def transaction_summary(account: Account, tier: FeeTier, tiers: tuple[FeeTier, ...], total_balance: str) -> dict[str, Any]:
    index = tiers.index(tier) if tier in tiers else len(tiers) - 1
    upper = tiers[index + 1].usd_from if index + 1 < len(tiers) else ""
    volume, fees = float(decimal(account.total_volume)), float(decimal(account.total_fees))
    return {
        "total_volume": volume,
        "total_fees": fees,
        "fee_tier": {
            "pricing_tier": tier.name,
            "usd_from": str(tier.usd_from),
            "usd_to": str(upper),
            "taker_fee_rate": scaled(tier.taker, 6),
            "maker_fee_rate": scaled(tier.maker, 6),
            "aop_from": "",
            "aop_to": "",
        },
        "margin_rate": None,
        "goods_and_services_tax": None,
        "advanced_trade_only_volume": volume,
        "advanced_trade_only_fees": fees,
        "coinbase_pro_volume": 0.0,
        "coinbase_pro_fees": 0.0,
        "total_balance": total_balance,
        "has_promo_fee": False,
    }
