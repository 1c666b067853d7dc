import { get } from "@/lib/api/client";

import { joinTail } from "./tail";
import type { Candle } from "./types";

export const CANDLES = 600;
const TAIL = 120;

/** Candles of the session's own market, oldest first. Of those that are known only the newest are asked for again. */
export async function fetchCandles(known: readonly Candle[], signal?: AbortSignal): Promise<Candle[]> {
  if (known.length > TAIL) {
    const joined = joinTail(known, await get("/api/market/candles", { limit: TAIL }, signal), CANDLES);
    if (joined !== null) return joined;
  }
  return get("/api/market/candles", { limit: CANDLES }, signal);
}
