import { get } from "@/lib/api/client";

import type { Candle } from "./types";

export const CANDLES = 600;

/** Candles of the session's own market, oldest first. */
export function fetchCandles(signal?: AbortSignal): Promise<Candle[]> {
  return get("/api/market/candles", { limit: CANDLES }, signal);
}
