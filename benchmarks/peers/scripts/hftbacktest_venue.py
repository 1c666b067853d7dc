"""hftbacktest's venue with the rules that the races share: no latency, whole fills, risk-averse queue positions."""

from hftbacktest import BacktestAsset


def asset(events, *, tick, lot, fee=0.0):
    """One instrument without bounds for its book; ``fee`` is a fraction of the notional."""
    return (
        BacktestAsset()
        .data(events)
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(fee, fee)
        .tick_size(tick)
        .lot_size(lot)
    )
