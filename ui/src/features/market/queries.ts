import { queryOptions, useQuery } from "@tanstack/react-query";

import { useLive } from "@/lib/live/store";

import { fetchCandles } from "./service";
import type { Candle } from "./types";

const POLL_MS = 2_000;
// The stream sends the newest price at most five times a second: the last moments of a candle may be missing until it is asked for.
const LIVE_MS = 10_000;
const QUERY_KEY = ["market", "candles"];

export const candlesQuery = queryOptions({
  queryKey: QUERY_KEY,
  queryFn: ({ signal, client }) => fetchCandles(client.getQueryData<Candle[]>(QUERY_KEY) ?? [], signal),
});

export function useCandles() {
  const live = useLive((state) => state.status === "live");
  return useQuery({ ...candlesQuery, refetchInterval: live ? LIVE_MS : POLL_MS });
}

/** The close of the newest candle and of the one before it. */
export function useLastPrice(): { price: number | null; previous: number | null } {
  const { data } = useCandles();
  const last = data?.at(-1);
  return { price: last?.close ?? null, previous: data?.at(-2)?.close ?? last?.open ?? null };
}
