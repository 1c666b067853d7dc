import type { UTCTimestamp } from "lightweight-charts";
import { describe, expect, it } from "vitest";

import { candlePoints, candleTimeAt, fillMarkers, pricePrecision, volumePoints } from "@/features/market/series";

import { candle, fill } from "../samples";

const TIMES = [60, 120, 180] as UTCTimestamp[];
const COLOURS = { up: "green", down: "red" };

it("candles of one second become one point, the later", () => {
  const points = candlePoints([candle(1_000, 10), candle(1_500, 11), candle(2_000, 12)]);
  expect(points.map(({ time, close }) => [time, close])).toEqual([
    [1, 11],
    [2, 12],
  ]);
});

it("volume has the colour of its candle", () => {
  const candles = [candle(1_000, 10, { open: 11, volume: 5 }), candle(2_000, 10, { volume: 6 })];
  expect(volumePoints(candles, "up", "down")).toEqual([
    { time: 1, value: 5, color: "down" },
    { time: 2, value: 6, color: "up" },
  ]);
});

describe("candleTimeAt", () => {
  it.each([
    [59_999, null],
    [60_000, 60],
    [119_999, 60],
    [120_000, 120],
    [999_000, 180],
  ])("%i ms is in the candle of %s s", (tsMs, expected) => {
    expect(candleTimeAt(TIMES, tsMs)).toBe(expected);
  });

  it("is none without candles", () => {
    expect(candleTimeAt([], 60_000)).toBeNull();
  });
});

describe("fillMarkers", () => {
  it("stand at their candles in order of time: buys below and up, sells above and down", () => {
    const fills = [fill("3", { ts_ms: 185_000, side: "sell" }), fill("2", { ts_ms: 61_000 })];
    const markers = fillMarkers(fills, TIMES, "BTC-USD", COLOURS);
    expect(markers.map(({ time, position, shape, color }) => [time, position, shape, color])).toEqual([
      [60, "belowBar", "arrowUp", "green"],
      [180, "aboveBar", "arrowDown", "red"],
    ]);
  });

  it("are one a candle and side, with their number", () => {
    const fills = [fill("4", { ts_ms: 63_000, side: "sell" }), fill("3", { ts_ms: 62_000 }), fill("2", { ts_ms: 61_000 })];
    const markers = fillMarkers(fills, TIMES, "BTC-USD", COLOURS);
    expect(markers.map(({ time, shape, text }) => [time, shape, text])).toEqual([
      [60, "arrowDown", undefined],
      [60, "arrowUp", "×2"],
    ]);
  });

  it("leave out other markets and what was before the first candle", () => {
    const fills = [fill("2", { ts_ms: 61_000, symbol: "ETH-USD" }), fill("1", { ts_ms: 59_000 })];
    expect(fillMarkers(fills, TIMES, "BTC-USD", COLOURS)).toEqual([]);
  });
});

it.each([
  [[100, 101], 2],
  [[100.125], 3],
  [[0.00001234], 8],
  [[1e-12], 8],
])("prices %j show %i digits", (prices, digits) => {
  expect(pricePrecision(prices.map((price, i) => candle(i * 1_000, price)))).toBe(digits);
});
