"""Shapes of the order calls, as they stand on the wire. Only what identifies something has to be there; what is new is passed over."""

from typing import Any

import msgspec

Amount = str | int | float | None  # a string today; numbers in older replies; "" and null where there is none


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a reply."""


class SuccessResponse(Wire, frozen=True, kw_only=True):
    order_id: str
    client_order_id: str = ""
    product_id: str = ""
    side: str = ""


class OrderRefusal(Wire, frozen=True, kw_only=True):
    error: str | None = None
    message: str | None = None
    error_details: str | None = None
    preview_failure_reason: str | None = None
    new_order_failure_reason: str | None = None


class CreateReply(Wire, frozen=True, kw_only=True):
    success: bool
    success_response: SuccessResponse | None = None
    error_response: OrderRefusal | None = None


class PreviewReply(Wire, frozen=True, kw_only=True):
    order_total: Amount = None
    commission_total: Amount = None
    base_size: Amount = None
    quote_size: Amount = None
    best_bid: Amount = None
    best_ask: Amount = None
    slippage: Amount = None
    preview_id: str | None = None
    errs: list[str] | None = None
    warning: list[str] | None = None


class CancelResult(Wire, frozen=True, kw_only=True):
    order_id: str
    success: bool
    failure_reason: str | None = None


class CancelReply(Wire, frozen=True, kw_only=True):
    results: list[CancelResult]


class EditError(Wire, frozen=True, kw_only=True):
    edit_failure_reason: str | None = None
    preview_failure_reason: str | None = None


class EditReply(Wire, frozen=True, kw_only=True):
    success: bool
    errors: list[EditError] | None = None


class Edit(Wire, frozen=True, kw_only=True):
    price: Amount = None
    size: Amount = None


class Order(Wire, frozen=True, kw_only=True):
    order_id: str
    product_id: str
    side: str
    status: str
    client_order_id: str | None = None
    order_configuration: dict[str, dict[str, Any] | None] | None = None
    created_time: str | None = None
    filled_size: Amount = None
    average_filled_price: Amount = None
    filled_value: Amount = None
    total_fees: Amount = None
    size_in_quote: bool | None = None
    pending_cancel: bool | None = None
    reject_reason: str | None = None
    reject_message: str | None = None
    cancel_message: str | None = None
    order_type: str | None = None
    edit_history: list[Edit] | None = None


class OrderReply(Wire, frozen=True, kw_only=True):
    order: Order


class OrdersReply(Wire, frozen=True, kw_only=True):
    orders: list[Order]
    has_next: bool | None = None
    cursor: str | None = None


class Fill(Wire, frozen=True, kw_only=True):
    trade_id: str
    order_id: str
    product_id: str
    side: str
    price: Amount
    size: Amount
    trade_time: str
    commission: Amount = None
    trade_type: str = "FILL"
    liquidity_indicator: str | None = None
    size_in_quote: bool | None = None
    entry_id: str | None = None


class FillsReply(Wire, frozen=True, kw_only=True):
    fills: list[Fill]
    cursor: str | None = None


class ErrorEntry(Wire, frozen=True, kw_only=True):
    id: str | None = None
    message: str | None = None


class ErrorReply(Wire, frozen=True, kw_only=True):
    """What comes with a status of 4xx, in any of the forms that were seen."""

    error: str | None = None
    message: str | None = None
    error_details: str | None = None
    errors: list[ErrorEntry] | None = None
