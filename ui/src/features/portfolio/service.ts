import { get } from "@/lib/api/client";

import type { EquityPoint, Portfolio } from "./types";

export const EQUITY_POINTS = 2_000;

export function fetchPortfolio(signal?: AbortSignal): Promise<Portfolio> {
  return get("/api/portfolio", undefined, signal);
}

/** Oldest first. */
export function fetchEquity(signal?: AbortSignal): Promise<EquityPoint[]> {
  return get("/api/portfolio/equity", { limit: EQUITY_POINTS }, signal);
}
