import { queryOptions, useQuery } from "@tanstack/react-query";

import { usePolling } from "@/lib/live/store";

import { refusals } from "./refusals";
import { fetchOrders } from "./service";

const POLL_MS = 2_000;

export const openOrdersQuery = queryOptions({
  queryKey: ["orders", "open"],
  queryFn: ({ signal }) => fetchOrders("open", signal),
});

export const allOrdersQuery = queryOptions({
  queryKey: ["orders", "all"],
  queryFn: ({ signal }) => fetchOrders("all", signal),
});

export function useOpenOrders() {
  return useQuery({ ...openOrdersQuery, refetchInterval: usePolling(POLL_MS) });
}

/** The refused ones among the newest orders, newest first. */
export function useRefusals() {
  return useQuery({ ...allOrdersQuery, select: refusals, refetchInterval: usePolling(POLL_MS) });
}
