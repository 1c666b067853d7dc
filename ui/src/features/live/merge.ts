/** What one event of the stream changes in a list that was loaded before. Every function returns a new list and keeps its bound. */

import { type Fill } from "@/features/fills/types";
import { FILLS } from "@/features/fills/service";
import { CANDLES } from "@/features/market/service";
import type { Candle } from "@/features/market/types";
import { ORDERS } from "@/features/orders/service";
import { isOpen, type Order } from "@/features/orders/types";
import { EQUITY_POINTS } from "@/features/portfolio/service";
import type { EquityPoint, Portfolio } from "@/features/portfolio/types";

/** Oldest first. A candle that is older than the newest is history already and changes nothing. */
export function mergeCandle(candles: Candle[], candle: Candle): Candle[] {
  const last = candles.at(-1);
  if (last !== undefined && candle.ts_ms < last.ts_ms) return candles;
  const kept = last?.ts_ms === candle.ts_ms ? candles.slice(0, -1) : candles.slice(-(CANDLES - 1));
  return [...kept, candle];
}

/** Oldest first; one point a second is enough to draw. */
export function mergeEquity(points: EquityPoint[], { ts_ms, equity, drawdown }: Portfolio): EquityPoint[] {
  const last = points.at(-1);
  if (last !== undefined && ts_ms < last.ts_ms) return points;
  const sameSecond = last !== undefined && Math.floor(last.ts_ms / 1000) === Math.floor(ts_ms / 1000);
  const kept = sameSecond ? points.slice(0, -1) : points.slice(-(EQUITY_POINTS - 1));
  return [...kept, { ts_ms, equity, drawdown }];
}

/** Newest first; `arrived` in the order of arrival. */
export function mergeFills(fills: Fill[], arrived: Fill[]): Fill[] {
  const known = new Set(fills.map((fill) => fill.trade_id));
  const added = arrived.filter((fill) => {
    const isNew = !known.has(fill.trade_id);
    known.add(fill.trade_id);
    return isNew;
  });
  return added.length === 0 ? fills : [...added.reverse(), ...fills].slice(0, FILLS);
}

function upsert(orders: Order[], arrived: Order[]): Order[] {
  const newest = new Map<string, Order>();
  for (const order of arrived) newest.set(order.client_order_id, order);
  const kept = orders.map((order) => {
    const update = newest.get(order.client_order_id);
    newest.delete(order.client_order_id);
    return update !== undefined && update.updated_ts_ms >= order.updated_ts_ms ? update : order;
  });
  return [...[...newest.values()].reverse(), ...kept];
}

/** Newest first; `arrived` in the order of arrival, so that the last word on an order counts. */
export function mergeOrders(orders: Order[], arrived: Order[]): Order[] {
  return upsert(orders, arrived).slice(0, ORDERS);
}

/** As mergeOrders, for the list of those that can still fill. */
export function mergeOpenOrders(orders: Order[], arrived: Order[]): Order[] {
  return upsert(orders, arrived).filter(isOpen).slice(0, ORDERS);
}
