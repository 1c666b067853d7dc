import type { Candle } from "./types";

/** `known` with its end replaced by `tail`, at most `most` of them; null when a gap between the two can't be ruled out. */
export function joinTail(known: readonly Candle[], tail: readonly Candle[], most: number): Candle[] | null {
  const first = tail[0];
  if (first === undefined || !known.some(({ ts_ms }) => ts_ms === first.ts_ms)) return null;
  return [...known.filter(({ ts_ms }) => ts_ms < first.ts_ms), ...tail].slice(-most);
}

/** Whether a candle may be missing before `next`: it is further from the newest than any two neighbours are close. */
export function skipsACandle(candles: readonly Candle[], next: Candle): boolean {
  const last = candles.at(-1);
  if (last === undefined) return false;
  const steps = candles.slice(1).map((candle, i) => candle.ts_ms - (candles[i]?.ts_ms ?? candle.ts_ms));
  return next.ts_ms - last.ts_ms > Math.min(...steps);
}
