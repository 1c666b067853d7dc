import type { Order } from "./types";

/** Refusals of the same wish in a row: the newest of them, and how many they are. */
export interface Refusals {
  readonly newest: Order;
  readonly count: number;
}

function sameWish(a: Order, b: Order): boolean {
  return a.symbol === b.symbol && a.side === b.side && a.size === b.size && a.type === b.type && a.reason === b.reason;
}

/** The refused among `orders` (newest first). A strategy that asks again with every bar fills one row, not the list. */
export function refusals(orders: readonly Order[]): Refusals[] {
  const groups: { newest: Order; count: number }[] = [];
  for (const order of orders) {
    if (order.status !== "rejected") continue;
    const group = groups.at(-1);
    if (group !== undefined && sameWish(group.newest, order)) group.count += 1;
    else groups.push({ newest: order, count: 1 });
  }
  return groups;
}
