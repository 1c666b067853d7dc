"""NautilusTrader: ``ema_band`` as a Python strategy; a market order sent from ``on_trade_tick`` fills at that trade's price."""

import numpy as np
import pandas as pd
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.persistence.wranglers import TradeTickDataWrangler
from nautilus_trader.trading.strategy import Strategy
from nautilus_venue import engine_for, pair, run
from telling import asked

SIZE = 1000.0  # a quantity above the trade's would slip


class EmaBand(Strategy):
    def __init__(self, instrument, settings):
        super().__init__()
        self.instrument = instrument
        self.alpha = 2.0 / (settings["span"] + 1.0)
        self.above, self.below = 1.0 + settings["band"], 1.0 - settings["band"]
        self.quantity = instrument.make_qty(settings["quantity"])
        self.mean, self.long, self.fills = None, False, 0

    def on_start(self):
        self.subscribe_trade_ticks(self.instrument.id)

    def on_order_filled(self, event):
        self.fills += 1

    def on_trade_tick(self, tick):
        price = tick.price.as_double()
        if self.mean is None:
            self.mean = price
            return
        self.mean += self.alpha * (price - self.mean)
        if self.long:
            if price < self.mean * self.below:
                self.long = False
                self.send(OrderSide.SELL)
        elif price > self.mean * self.above:
            self.long = True
            self.send(OrderSide.BUY)

    def send(self, side):
        self.submit_order(self.order_factory.market(self.instrument.id, side, self.quantity))


def main():
    columns, settings = asked()
    instrument = pair(settings["fee"])
    frame = pd.DataFrame({"price": columns["price"], "quantity": SIZE, "buyer_maker": columns["side"] < 0})
    frame["trade_id"] = np.arange(len(frame))
    frame.index = pd.to_datetime(columns["ts"], utc=True)
    ticks = TradeTickDataWrangler(instrument).process(frame)
    run(engine_for(instrument, settings, trade_execution=True), EmaBand(instrument, settings), ticks, float(columns["price"][-1]))


if __name__ == "__main__":
    main()
