/** Writes the events of the stream into the query cache, a batch at a time. */

import type { QueryClient } from "@tanstack/react-query";

import { fillsQuery } from "@/features/fills/queries";
import type { Fill } from "@/features/fills/types";
import { candlesQuery } from "@/features/market/queries";
import { skipsACandle } from "@/features/market/tail";
import { allOrdersQuery, openOrdersQuery } from "@/features/orders/queries";
import type { Order } from "@/features/orders/types";
import { equityQuery, portfolioQuery } from "@/features/portfolio/queries";
import { riskQuery } from "@/features/risk/queries";
import { systemQuery } from "@/features/system/queries";
import type { Schemas } from "@/lib/api/client";
import type { ServerEvent } from "@/lib/live/sse";

import { mergeCandle, mergeEquity, mergeFills, mergeOpenOrders, mergeOrders } from "./merge";

type Events = Schemas["StreamEvents"];
type Named = { [Name in keyof Events]: { event: Name; data: Events[Name] } }[keyof Events];

const NAMES: ReadonlySet<string> = new Set<keyof Events>(["account", "fill", "market", "order", "risk", "system"]);

/** The event with its data read, or null for one that this page does not know or cannot read. */
export function decode({ event, data }: ServerEvent): Named | null {
  if (!NAMES.has(event)) return null;
  try {
    return { event, data: JSON.parse(data) } as Named;
  } catch {
    return null;
  }
}

/** The state as a whole: an answer that is still on its way was asked for before and must not overwrite it. */
function replace<T>(client: QueryClient, queryKey: readonly unknown[], data: T): void {
  void client.cancelQueries({ queryKey }, { silent: true });
  client.setQueryData(queryKey, data);
}

export function applyFills(client: QueryClient, fills: Fill[]): void {
  if (fills.length > 0) client.setQueryData(fillsQuery.queryKey, (old) => old && mergeFills(old, fills));
}

export function applyOrders(client: QueryClient, orders: Order[]): void {
  if (orders.length === 0) return;
  client.setQueryData(allOrdersQuery.queryKey, (old) => old && mergeOrders(old, orders));
  client.setQueryData(openOrdersQuery.queryKey, (old) => old && mergeOpenOrders(old, orders));
}

/** What the events told besides what is in the cache now: that there was a price, that candles were left out between them. */
export interface Told {
  readonly priced: boolean;
  readonly skipped: boolean;
}

/** A list that was not loaded yet stays so: its first answer will have it all. */
export function applyEvents(client: QueryClient, events: Named[]): Told {
  const fills: Fill[] = [];
  const orders: Order[] = [];
  const whole = new Map<string, () => void>(); // of a state that is sent as a whole, only the newest counts
  let priced = false;
  let skipped = false;
  for (const { event, data } of events) {
    switch (event) {
      case "fill":
        fills.push(data);
        break;
      case "order":
        orders.push(data);
        break;
      case "market": {
        const own = client.getQueryData(systemQuery.queryKey)?.symbol;
        if (own === undefined || own !== data.symbol) break; // the candles are of the session's own market
        priced = true;
        const { candle } = data;
        if (candle === null) break;
        skipped ||= skipsACandle(client.getQueryData(candlesQuery.queryKey) ?? [], candle);
        client.setQueryData(candlesQuery.queryKey, (old) => old && mergeCandle(old, candle));
        break;
      }
      case "account":
        whole.set(event, () => replace(client, portfolioQuery.queryKey, data));
        client.setQueryData(equityQuery.queryKey, (old) => old && mergeEquity(old, data));
        break;
      case "risk":
        whole.set(event, () => replace(client, riskQuery.queryKey, data));
        break;
      case "system":
        whole.set(event, () => replace(client, systemQuery.queryKey, data));
        break;
    }
  }
  for (const write of whole.values()) write();
  applyFills(client, fills);
  applyOrders(client, orders);
  return { priced, skipped };
}
