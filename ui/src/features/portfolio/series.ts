/** Equity and drawdown as the equity chart draws them. */

import type { UTCTimestamp } from "lightweight-charts";

import { chartTime } from "@/lib/chart/time";
import { parse, toNumber } from "@/lib/format/decimal";

import type { EquityPoint } from "./types";

export type ValuePoint = { readonly time: UTCTimestamp; readonly value: number };

function numberOf(text: string): number {
  const exact = parse(text);
  return exact === null ? 0 : toNumber(exact);
}

/** One point a second, of several the last; the drawdown is drawn downwards, in percent. */
export function equitySeries(points: readonly EquityPoint[]): { equity: ValuePoint[]; drawdown: ValuePoint[] } {
  const lastOfSecond = new Map<UTCTimestamp, EquityPoint>();
  for (const point of points) lastOfSecond.set(chartTime(point.ts_ms), point);
  const kept = [...lastOfSecond].sort(([a], [b]) => a - b);
  return {
    equity: kept.map(([time, point]) => ({ time, value: numberOf(point.equity) })),
    drawdown: kept.map(([time, point]) => ({ time, value: -100 * numberOf(point.drawdown) })),
  };
}
