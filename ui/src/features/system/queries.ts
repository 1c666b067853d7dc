import { queryOptions, useQuery } from "@tanstack/react-query";

import { useLive } from "@/lib/live/store";
import { useNow } from "@/lib/react/useNow";

import { fetchSystem } from "./service";

// Asked for also while the stream lives: whether data is stale is a matter of time passing, which no event tells.
const POLL_MS = 2_000;

export const systemQuery = queryOptions({
  queryKey: ["system"],
  queryFn: ({ signal }) => fetchSystem(signal),
});

export function useSystem() {
  return useQuery({ ...systemQuery, refetchInterval: POLL_MS });
}

/** Milliseconds since the newest price, or null before the first one. */
export function useMarketAge(): number | null {
  const { data, dataUpdatedAt } = useSystem();
  const priceAtMs = useLive((state) => state.priceAtMs);
  const now = useNow();
  const told = data?.market_age_ms ?? null;
  const ages = [told === null ? null : told + now - dataUpdatedAt, priceAtMs === null ? null : now - priceAtMs];
  const known = ages.filter((age) => age !== null);
  return known.length === 0 ? null : Math.max(0, Math.min(...known));
}
