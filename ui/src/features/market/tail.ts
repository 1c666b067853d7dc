import type { Candle } from "./types";

/** `known` with its end replaced by `tail`, at most `most` of them; null when a gap between the two can't be ruled out. */
export function joinTail(known: readonly Candle[], tail: readonly Candle[], most: number): Candle[] | null {
  const first = tail[0];
  if (first === undefined || !known.some(({ ts_ms }) => ts_ms === first.ts_ms)) return null;
  return [...known.filter(({ ts_ms }) => ts_ms < first.ts_ms), ...tail].slice(-most);
}

/** Whether a candle was left out before `next`: it begins later than one usual step after the newest. */
export function skipsACandle(candles: readonly Candle[], next: Candle): boolean {
  const [before, last] = candles.slice(-2);
  if (before === undefined || last === undefined) return false;
  return next.ts_ms - last.ts_ms > last.ts_ms - before.ts_ms;
}
