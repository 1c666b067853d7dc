"use client";

import { useSyncExternalStore } from "react";

const EVERY_MS = 1_000;
const listeners = new Set<() => void>();
let nowMs = 0;
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  nowMs = Date.now();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, EVERY_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
    nowMs = 0;
  };
}

function snapshot(): number {
  nowMs ||= Date.now();
  return nowMs;
}

/** The time, renewed every second; all that ask share one timer and see one value. 0 while the page is built. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, snapshot, () => 0);
}
