import { queryOptions, useQuery } from "@tanstack/react-query";

import { usePolling } from "@/lib/live/store";

import { fetchCandles } from "./service";

const POLL_MS = 2_000;

export const candlesQuery = queryOptions({
  queryKey: ["market", "candles"],
  queryFn: ({ signal }) => fetchCandles(signal),
});

export function useCandles() {
  return useQuery({ ...candlesQuery, refetchInterval: usePolling(POLL_MS) });
}

/** The close of the newest candle and of the one before it. */
export function useLastPrice(): { price: number | null; previous: number | null; tsMs: number | null } {
  const { data } = useCandles();
  const last = data?.at(-1);
  return { price: last?.close ?? null, previous: data?.at(-2)?.close ?? last?.open ?? null, tsMs: last?.ts_ms ?? null };
}
