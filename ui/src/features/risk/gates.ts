import type { Gate } from "./types";

/** The gate that is closed while a market's prices are too old, or its book is not whole. */
export const MARKET_DATA = "market data";

/** What a closed gate concerns: `stream`, or `market data BTC-USD`. */
export function gateName({ gate, symbol }: Gate): string {
  return symbol === "" ? gate : `${gate} ${symbol}`;
}

/** `1 gate is closed`, `2 gates are closed`. */
export function closedWords(count: number): string {
  return count === 1 ? "1 gate is closed" : `${count} gates are closed`;
}

/** `1 order is unknown`, `2 orders are unknown`. */
export function unknownWords(count: number): string {
  return count === 1 ? "1 order is unknown" : `${count} orders are unknown`;
}
