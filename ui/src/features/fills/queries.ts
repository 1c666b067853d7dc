import { queryOptions, useQuery } from "@tanstack/react-query";

import { usePolling } from "@/lib/live/store";

import { fetchFills } from "./service";

const POLL_MS = 2_000;

export const fillsQuery = queryOptions({
  queryKey: ["fills"],
  queryFn: ({ signal }) => fetchFills(signal),
});

export function useFills() {
  return useQuery({ ...fillsQuery, refetchInterval: usePolling(POLL_MS) });
}
