import { get, post } from "@/lib/api/client";

import type { Risk } from "./types";

export function fetchRisk(signal?: AbortSignal): Promise<Risk> {
  return get("/api/risk", undefined, signal);
}

/** Answers the state after the switch. */
export function setKillSwitch(change: { on: boolean; reason: string }): Promise<Risk> {
  return post("/api/risk/kill-switch", change);
}
