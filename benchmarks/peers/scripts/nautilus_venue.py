"""NautilusTrader: the venue, the instrument and the account that its scripts share."""

import time
from decimal import Decimal

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.risk.config import RiskEngineConfig
from telling import tell

VENUE = Venue("SIM")


def pair(fee):
    """BTC against a dollar of eight decimals, so that nothing is rounded to cents."""
    return CurrencyPair(
        instrument_id=InstrumentId(Symbol("BTCUSDT"), VENUE),
        raw_symbol=Symbol("BTCUSDT"),
        base_currency=BTC,
        quote_currency=USDT,
        price_precision=2,
        size_precision=4,
        price_increment=Price.from_str("0.01"),
        size_increment=Quantity.from_str("0.0001"),
        maker_fee=Decimal(str(fee)),
        taker_fee=Decimal(str(fee)),
        ts_event=0,
        ts_init=0,
    )


def engine_for(instrument, settings, **venue):
    """An engine with a cash account; ``tuned`` leaves out its logging, its risk check and the analysis at the end."""
    tuned = settings["tuned"]
    logging = LoggingConfig(bypass_logging=True) if tuned else LoggingConfig(log_level="ERROR")
    engine = BacktestEngine(BacktestEngineConfig(logging=logging, risk_engine=RiskEngineConfig(bypass=tuned), run_analysis=not tuned))
    engine.add_venue(
        VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        base_currency=None,
        starting_balances=[Money(settings["cash"], USDT), Money(0, BTC)],
        **venue,
    )
    engine.add_instrument(instrument)
    return engine


def run(engine, strategy, data, last_price):
    """Runs it over the data and tells what came of it."""
    engine.add_data(data)
    engine.add_strategy(strategy)
    started = time.perf_counter()
    engine.run()
    seconds = time.perf_counter() - started
    account = engine.cache.account_for_venue(VENUE)
    equity = account.balance_total(USDT).as_double() + account.balance_total(BTC).as_double() * last_price
    fees = account.commissions().get(USDT)
    fees_paid = 0.0 if fees is None else fees.as_double()
    tell(engine_seconds=seconds, events=len(data), fills=strategy.fills, fees=fees_paid, equity=equity)
