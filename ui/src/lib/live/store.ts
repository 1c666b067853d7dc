/** How the page is connected. Server state itself lives in the query cache. */

import { create } from "zustand";

import type { StreamStatus } from "./stream";

interface LiveState {
  readonly status: StreamStatus;
  /** When the newest price reached this page, by this machine's clock. */
  readonly priceAtMs: number | null;
  setStatus: (status: StreamStatus) => void;
  priceArrived: (atMs: number) => void;
}

export const useLive = create<LiveState>((set) => ({
  status: "stopped",
  priceAtMs: null,
  setStatus: (status) => set({ status }),
  priceArrived: (priceAtMs) => set({ priceAtMs }),
}));

const RESYNC_MS = 30_000;

/** How often a query asks: seldom while the stream brings the changes, every `pollMs` while it does not. */
export function intervalFor(status: StreamStatus, pollMs: number): number {
  return status === "live" ? RESYNC_MS : pollMs;
}

export function usePolling(pollMs: number): number {
  return useLive((state) => intervalFor(state.status, pollMs));
}
