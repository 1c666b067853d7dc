/** Candles, fills and orders as the price chart draws them. */

import type { SeriesMarker, UTCTimestamp } from "lightweight-charts";

import type { Fill } from "@/features/fills/types";
import { chartTime } from "@/lib/chart/time";

import type { Candle } from "./types";

// A type, not an interface: it must be assignable to the chart's record of numbers.
export type CandlePoint = {
  readonly time: UTCTimestamp;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
};

export type VolumePoint = { readonly time: UTCTimestamp; readonly value: number; readonly color: string };

/** A chart wants one point a second at most, in order: of candles in one second the later counts. */
export function candlePoints(candles: readonly Candle[]): CandlePoint[] {
  const points = new Map<number, CandlePoint>();
  for (const { ts_ms, open, high, low, close } of candles) {
    const time = chartTime(ts_ms);
    points.set(time, { time, open, high, low, close });
  }
  return [...points.values()];
}

export function volumePoints(candles: readonly Candle[], up: string, down: string): VolumePoint[] {
  const points = new Map<number, VolumePoint>();
  for (const { ts_ms, open, close, volume } of candles) {
    const time = chartTime(ts_ms);
    points.set(time, { time, value: volume, color: close < open ? down : up });
  }
  return [...points.values()];
}

/** The time of the candle that a moment falls into, or null when it is before them all. */
export function candleTimeAt(times: readonly UTCTimestamp[], tsMs: number): UTCTimestamp | null {
  const at = chartTime(tsMs);
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return times[low - 1] ?? null;
}

/**
 * Own fills of one market as arrows at their candles, oldest first; those of before the first candle are left out. One arrow a candle
 * and side: an order that was filled by many is one act, and a pile of arrows would grow out of the chart. Their number stands beside it.
 */
export function fillMarkers(
  fills: readonly Fill[],
  times: readonly UTCTimestamp[],
  symbol: string | undefined,
  colours: { up: string; down: string },
): SeriesMarker<UTCTimestamp>[] {
  const piles = new Map<string, { time: UTCTimestamp; side: Fill["side"]; count: number }>();
  for (const { ts_ms, side, symbol: market } of fills) {
    const time = candleTimeAt(times, ts_ms);
    if (time === null || (symbol !== undefined && market !== symbol)) continue;
    const id = `${time} ${side}`;
    piles.set(id, { time, side, count: (piles.get(id)?.count ?? 0) + 1 });
  }
  return [...piles]
    .map(([id, { time, side, count }]) => ({
      id,
      time,
      position: side === "buy" ? ("belowBar" as const) : ("aboveBar" as const),
      shape: side === "buy" ? ("arrowUp" as const) : ("arrowDown" as const),
      color: side === "buy" ? colours.up : colours.down,
      ...(count > 1 ? { text: `×${count}` } : {}),
    }))
    .sort((a, b) => a.time - b.time);
}

/** How many digits after the point the prices of these candles show: as many as the finest of them has, two to eight. */
export function pricePrecision(candles: readonly Candle[]): number {
  let most = 2;
  for (const { open, high, low, close } of candles.slice(-100)) {
    for (const price of [open, high, low, close]) {
      const [mantissa = "", exponent = "0"] = String(price).split("e");
      most = Math.max(most, (mantissa.split(".")[1]?.length ?? 0) - Number(exponent));
    }
  }
  return Math.min(most, 8);
}
