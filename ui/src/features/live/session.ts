/** One page's live connection: the stream, its batches, and the answers that crossed them. */

import type { QueryClient } from "@tanstack/react-query";

import { fillsQuery } from "@/features/fills/queries";
import { candlesQuery } from "@/features/market/queries";
import { allOrdersQuery, openOrdersQuery } from "@/features/orders/queries";
import { meQuery } from "@/features/session/queries";
import type { ServerEvent } from "@/lib/live/sse";
import { useLive } from "@/lib/live/store";
import { EventStream, type StreamStatus } from "@/lib/live/stream";

import { applyEvents, applyFills, applyOrders, decode } from "./apply";

const FLUSH_MS = 100;
const GAPS_MS = 2_000; // a fast replay leaves out candles all the time
const CROSSING_MS = 5_000;
const CROSSING_MOST = 1_000;

type Decoded = NonNullable<ReturnType<typeof decode>>;
interface Timed {
  readonly atMs: number;
  readonly event: Decoded;
}

/**
 * A list that was asked for before an event and answered after it lacks what the event told. So the fills and orders of the last
 * seconds are kept, and applied once more to every list that arrives.
 */
function reapplyAfterAnswers(client: QueryClient, recent: () => Decoded[]): () => void {
  const lists = new Set([fillsQuery, allOrdersQuery, openOrdersQuery].map(({ queryKey }) => JSON.stringify(queryKey)));
  return client.getQueryCache().subscribe((change) => {
    if (change.type !== "updated" || change.action.type !== "success" || change.action.manual) return;
    if (!lists.has(JSON.stringify(change.query.queryKey))) return;
    const events = recent();
    applyFills(client, events.flatMap(({ event, data }) => (event === "fill" ? [data] : [])));
    applyOrders(client, events.flatMap(({ event, data }) => (event === "order" ? [data] : [])));
  });
}

/** Starts the connection; returns the function that ends it. */
export function startLive(client: QueryClient, url = "/api/streams/sse"): () => void {
  const { setStatus, priceArrived } = useLive.getState();
  let waiting: Decoded[] = [];
  let crossing: Timed[] = [];
  let flushTimer: ReturnType<typeof setTimeout> | undefined;
  let filledGapsAtMs = 0;
  let before: StreamStatus = "stopped";

  function flush(): void {
    flushTimer = undefined;
    const batch = waiting;
    waiting = [];
    const now = Date.now();
    const lasting = batch.filter(({ event }) => event === "fill" || event === "order").map((event) => ({ atMs: now, event }));
    crossing = [...crossing.filter(({ atMs }) => now - atMs < CROSSING_MS), ...lasting].slice(-CROSSING_MOST);
    const { priced, skipped } = applyEvents(client, batch);
    if (priced) priceArrived(now);
    if (skipped && now - filledGapsAtMs >= GAPS_MS) {
      filledGapsAtMs = now;
      void client.invalidateQueries({ queryKey: candlesQuery.queryKey });
    }
  }

  function onEvents(events: ServerEvent[]): void {
    waiting.push(...events.map(decode).filter((event) => event !== null));
    flushTimer ??= setTimeout(flush, FLUSH_MS);
  }

  function onStatus(status: StreamStatus): void {
    setStatus(status);
    // What happened while there was no stream is only in the lists.
    if (status === "live" && before === "polling") void client.invalidateQueries();
    before = status;
  }

  const stream = new EventStream({
    url,
    onEvents,
    onStatus,
    onUnauthorized: () => client.setQueryData(meQuery.queryKey, null),
  });
  const unsubscribe = reapplyAfterAnswers(client, () => crossing.map(({ event }) => event));
  const retry = () => stream.retryNow();
  window.addEventListener("online", retry);
  document.addEventListener("visibilitychange", retry);
  stream.start();

  return () => {
    window.removeEventListener("online", retry);
    document.removeEventListener("visibilitychange", retry);
    unsubscribe();
    clearTimeout(flushTimer);
    stream.stop();
  };
}
