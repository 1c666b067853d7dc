"""Query parameters whose words the exchange lists."""

from .calls import Call
from .refusals import bad_request

ANY_PRODUCT_TYPE = "UNKNOWN_PRODUCT_TYPE"
# The words that the exchange knows; another one is refused, not taken for a filter that nothing fits.
_WORDS = {
    "order_status": frozenset(
        {
            "PENDING", "OPEN", "FILLED", "CANCELLED", "EXPIRED", "FAILED", "UNKNOWN_ORDER_STATUS", "QUEUED", "CANCEL_QUEUED",
            "EDIT_QUEUED",
        }
    ),
    "time_in_forces": frozenset(
        {"UNKNOWN_TIME_IN_FORCE", "GOOD_UNTIL_DATE_TIME", "GOOD_UNTIL_CANCELLED", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL"}
    ),
    "order_types": frozenset(
        {
            "UNKNOWN_ORDER_TYPE", "MARKET", "LIMIT", "STOP", "STOP_LIMIT", "BRACKET", "TAKE_PROFIT_STOP_LOSS", "TWAP", "ROLL_OPEN",
            "ROLL_CLOSE", "LIQUIDATION", "SCALED",
        }
    ),
    "order_side": frozenset({"BUY", "SELL"}),
    "order_placement_source": frozenset({"UNKNOWN_PLACEMENT_SOURCE", "RETAIL_SIMPLE", "RETAIL_ADVANCED", "RETAIL_ADMIN", "RETAIL_RAISE"}),
    "product_type": frozenset({ANY_PRODUCT_TYPE, "SPOT", "FUTURE", "EQUITY", "OPTION_GROUP", "FUTURE_GROUP"}),
    "contract_expiry_type": frozenset({"UNKNOWN_CONTRACT_EXPIRY_TYPE", "EXPIRING", "PERPETUAL"}),
}  # fmt: skip


def known_words(call: Call, name: str) -> set[str]:
    """The values of a query parameter whose words are listed; a 400 in the words of the exchange's gateway for another one."""
    words = call.words(name)
    for word in words:
        if word not in _WORDS[name]:
            raise bad_request(f'parsing list "{name}": "{word}" is not a valid value')
    return set(words)
