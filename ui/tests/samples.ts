import type { Fill } from "@/features/fills/types";
import type { Candle } from "@/features/market/types";
import type { Order } from "@/features/orders/types";
import type { Portfolio, Position } from "@/features/portfolio/types";
import type { Gate, Limit, Risk, UnknownOrder } from "@/features/risk/types";
import type { System } from "@/features/system/types";

export function candle(ts_ms: number, close: number, rest: Partial<Candle> = {}): Candle {
  return { ts_ms, open: close, high: close, low: close, close, volume: 1, ...rest };
}

export function fill(trade_id: string, rest: Partial<Fill> = {}): Fill {
  return {
    trade_id,
    client_order_id: `order-of-${trade_id}`,
    symbol: "BTC-USD",
    side: "buy",
    price: "100.00",
    size: "1",
    fee: "0.1",
    liquidity: "taker",
    ts_ms: 1_000,
    ...rest,
  };
}

export function order(client_order_id: string, rest: Partial<Order> = {}): Order {
  return {
    client_order_id,
    symbol: "BTC-USD",
    side: "buy",
    type: "limit",
    time_in_force: "gtc",
    post_only: false,
    size: "1",
    limit_price: "100.00",
    stop_price: null,
    status: "open",
    filled_size: "0",
    average_price: null,
    fees: "0",
    reason: null,
    detail: "",
    created_ts_ms: 1_000,
    updated_ts_ms: 1_000,
    strategy: "sma_cross",
    ...rest,
  };
}

export function position(rest: Partial<Position> = {}): Position {
  return {
    symbol: "BTC-USD",
    size: "0.5",
    average_price: "100",
    mark_price: "110",
    realized_pnl: "3",
    unrealized_pnl: "5",
    fees: "0.25",
    notional: "55",
    ...rest,
  };
}

export function portfolio(rest: Partial<Portfolio> = {}): Portfolio {
  return {
    ts_ms: 1_000,
    currency: "USD",
    cash: "900",
    equity: "1010",
    high_water_mark: "1020",
    drawdown: "0.0098",
    daily_pnl: "10",
    gross_exposure: "110",
    positions: [],
    ...rest,
  };
}

export function limit(rest: Partial<Limit> = {}): Limit {
  return { name: "max_daily_loss", label: "daily loss", limit: "1000", used: "250", headroom: "750", unit: "USD", ...rest };
}

export function risk(rest: Partial<Risk> = {}): Risk {
  return {
    kill_switch: false,
    kill_reason: "",
    kill_by: "",
    kill_ts_ms: null,
    allowed_markets: null,
    limits: [],
    gates: [],
    unknown_orders: [],
    reconciled_ts_ms: null,
    ...rest,
  };
}

export function gate(rest: Partial<Gate> = {}): Gate {
  return { gate: "stream", symbol: "", detail: "the socket closed", since_ms: 1_000, opens: "by itself, when the user channel is back", ...rest };
}

export function unknownOrder(client_order_id: string, rest: Partial<UnknownOrder> = {}): UnknownOrder {
  return { client_order_id, since_ms: 1_000, detail: "the answer was lost", doing: "the exchange is asked for it at every look", ...rest };
}

export function system(rest: Partial<System> = {}): System {
  return {
    version: "0.1.0",
    mode: "paper",
  venue: "simulated exchange",
    strategy: "sma_cross",
    params: { fast: 20, slow: 50 },
    symbol: "BTC-USD",
    source: "generated",
    started_ts_ms: 1_000,
    guard_connected: true,
    market_age_ms: 100,
    market_stale: false,
    components: [],
    ...rest,
  };
}
