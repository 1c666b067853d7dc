"use client";

import type { Fill } from "@/features/fills/types";
import { formatFloatPrice, formatFloatSize, formatPrice, formatSize } from "@/lib/format/number";
import { formatLocal, formatUtc } from "@/lib/format/time";
import { useNow } from "@/lib/react/useNow";

import type { Candle } from "./types";

/** The figures of one candle, and the own fills in it. */
export function PriceLegend({ candle, fills }: { candle: Candle; fills: readonly Fill[] }) {
  const now = useNow();
  const colour = candle.close < candle.open ? "text-down" : "text-up";
  const figures = [
    ["O", formatFloatPrice(candle.open)],
    ["H", formatFloatPrice(candle.high)],
    ["L", formatFloatPrice(candle.low)],
    ["C", formatFloatPrice(candle.close)],
    ["V", formatFloatSize(candle.volume)],
  ] as const;
  return (
    <div className="pointer-events-none absolute top-1.5 left-2.5 z-10 max-w-[calc(100%-5.5rem)] text-2xs">
      <p className="flex flex-wrap gap-x-2.5">
        {figures.map(([name, text]) => (
          <span key={name} className={name === "V" ? "max-sm:hidden" : undefined}>
            <span className="text-dim">{name}</span> <span className={name === "V" ? undefined : colour}>{text}</span>
          </span>
        ))}
        <span className="text-dim max-sm:hidden">
          {formatLocal(candle.ts_ms, now)} · {formatUtc(candle.ts_ms)}
        </span>
      </p>
      {fills.slice(0, 4).map((fill) => (
        <p key={fill.trade_id} className={fill.side === "buy" ? "text-up" : "text-down"}>
          {fill.side === "buy" ? "▲ bought" : "▼ sold"} {formatSize(fill.size)} at {formatPrice(fill.price)}
        </p>
      ))}
    </div>
  );
}
