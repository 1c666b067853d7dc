import { describe, expect, it } from "vitest";

import { FILLS } from "@/features/fills/service";
import { mergeCandle, mergeEquity, mergeFills, mergeOpenOrders, mergeOrders } from "@/features/live/merge";
import { CANDLES } from "@/features/market/service";

import { candle, fill, order, portfolio } from "../samples";

describe("mergeCandle", () => {
  const candles = [candle(1_000, 10), candle(2_000, 11)];

  it("replaces the newest by its next state", () => {
    expect(mergeCandle(candles, candle(2_000, 12)).map(({ close }) => close)).toEqual([10, 12]);
  });

  it("appends the next one and leaves the list it was given alone", () => {
    expect(mergeCandle(candles, candle(3_000, 13))).toHaveLength(3);
    expect(candles).toHaveLength(2);
  });

  it("ignores one that is older than the newest", () => {
    expect(mergeCandle(candles, candle(1_500, 99))).toBe(candles);
  });

  it("keeps its bound", () => {
    const full = Array.from({ length: CANDLES }, (_, i) => candle(i * 1_000, i));
    const next = mergeCandle(full, candle(CANDLES * 1_000, 1));
    expect(next).toHaveLength(CANDLES);
    expect(next[0]?.ts_ms).toBe(1_000);
  });
});

it("mergeEquity keeps the last point of each second", () => {
  const first = mergeEquity([], portfolio({ ts_ms: 1_100, equity: "1" }));
  const second = mergeEquity(first, portfolio({ ts_ms: 1_900, equity: "2" }));
  const third = mergeEquity(second, portfolio({ ts_ms: 2_000, equity: "3" }));
  expect(third.map(({ ts_ms, equity }) => [ts_ms, equity])).toEqual([
    [1_900, "2"],
    [2_000, "3"],
  ]);
  expect(mergeEquity(third, portfolio({ ts_ms: 500 }))).toBe(third);
});

describe("mergeFills", () => {
  it("puts the latest arrival first and takes no fill twice", () => {
    const merged = mergeFills([fill("2"), fill("1")], [fill("2"), fill("3"), fill("4"), fill("3")]);
    expect(merged.map(({ trade_id }) => trade_id)).toEqual(["4", "3", "2", "1"]);
  });

  it("is the same list when nothing is new", () => {
    const fills = [fill("1")];
    expect(mergeFills(fills, [fill("1")])).toBe(fills);
  });

  it("keeps its bound", () => {
    const many = Array.from({ length: FILLS + 50 }, (_, i) => fill(String(i)));
    expect(mergeFills([], many)).toHaveLength(FILLS);
  });
});

describe("mergeOrders", () => {
  const orders = [order("b", { updated_ts_ms: 5 }), order("a", { updated_ts_ms: 5 })];

  it("replaces in place, puts new ones first, and the last word on an order counts", () => {
    const merged = mergeOrders(orders, [
      order("c", { status: "pending" }),
      order("a", { status: "partially_filled", updated_ts_ms: 6 }),
      order("c", { status: "rejected" }),
      order("a", { status: "filled", updated_ts_ms: 6 }),
    ]);
    expect(merged.map(({ client_order_id, status }) => [client_order_id, status])).toEqual([
      ["c", "rejected"],
      ["b", "open"],
      ["a", "filled"],
    ]);
  });

  it("does not let an older word replace a newer one", () => {
    expect(mergeOrders(orders, [order("a", { status: "pending", updated_ts_ms: 4 })])).toEqual(orders);
  });

  it("mergeOpenOrders lets go of an order that can fill no more", () => {
    const merged = mergeOpenOrders(orders, [order("a", { status: "cancelled", updated_ts_ms: 6 }), order("d", { status: "unknown" })]);
    expect(merged.map(({ client_order_id }) => client_order_id)).toEqual(["d", "b"]);
  });
});
