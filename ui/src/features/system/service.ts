import { get } from "@/lib/api/client";

import type { System } from "./types";

export function fetchSystem(signal?: AbortSignal): Promise<System> {
  return get("/api/system", undefined, signal);
}
