import { get } from "@/lib/api/client";

import type { Order } from "./types";

export const ORDERS = 200;

/** Newest first. */
export function fetchOrders(status: "open" | "all", signal?: AbortSignal): Promise<Order[]> {
  return get("/api/orders", { status, limit: ORDERS }, signal);
}
