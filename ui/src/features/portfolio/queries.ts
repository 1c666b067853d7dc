import { queryOptions, useQuery } from "@tanstack/react-query";

import { usePolling } from "@/lib/live/store";

import { fetchEquity, fetchPortfolio } from "./service";

const POLL_MS = 2_000;
const EQUITY_POLL_MS = 5_000;

export const portfolioQuery = queryOptions({
  queryKey: ["portfolio", "state"],
  queryFn: ({ signal }) => fetchPortfolio(signal),
});

export const equityQuery = queryOptions({
  queryKey: ["portfolio", "equity"],
  queryFn: ({ signal }) => fetchEquity(signal),
});

export function usePortfolio() {
  return useQuery({ ...portfolioQuery, refetchInterval: usePolling(POLL_MS) });
}

export function useEquity() {
  return useQuery({ ...equityQuery, refetchInterval: usePolling(EQUITY_POLL_MS) });
}
