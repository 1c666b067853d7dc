import { get } from "@/lib/api/client";

import type { Fill } from "./types";

export const FILLS = 300;

/** Newest first. */
export function fetchFills(signal?: AbortSignal): Promise<Fill[]> {
  return get("/api/fills", { limit: FILLS }, signal);
}
