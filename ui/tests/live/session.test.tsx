import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { fillsQuery } from "@/features/fills/queries";
import { startLive } from "@/features/live/session";
import { candlesQuery } from "@/features/market/queries";
import { openOrdersQuery } from "@/features/orders/queries";
import { riskQuery } from "@/features/risk/queries";
import { meQuery } from "@/features/session/queries";
import type { User } from "@/features/session/types";
import { systemQuery } from "@/features/system/queries";
import { useLive } from "@/lib/live/store";

import { candle, fill, order, risk, system } from "../samples";
import { streamServer } from "./server";

let client: QueryClient;
let server: ReturnType<typeof streamServer>;
let stop: () => void;

function send(event: string, data: unknown): void {
  server.latest().send(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

async function settle(ms = 150): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

beforeEach(() => {
  vi.useFakeTimers();
  client = new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: "always" } } });
  server = streamServer();
  vi.stubGlobal("fetch", server.fetch);
  stop = startLive(client, "/events");
  server.latest().open();
});

afterEach(() => {
  stop();
  client.clear();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it("writes the events into the lists that were loaded", async () => {
  client.setQueryData(systemQuery.queryKey, system());
  client.setQueryData(candlesQuery.queryKey, [candle(1_000, 10)]);
  client.setQueryData(fillsQuery.queryKey, []);
  client.setQueryData(openOrdersQuery.queryKey, [order("a")]);
  send("market", { symbol: "BTC-USD", ts_ms: 2_100, price: 11, candle: candle(2_000, 11) });
  send("market", { symbol: "ETH-USD", ts_ms: 3_100, price: 7, candle: candle(3_000, 7) });
  send("order", order("a", { status: "filled" }));
  send("fill", fill("1"));
  send("risk", risk({ kill_switch: true }));
  await settle();
  expect(client.getQueryData(candlesQuery.queryKey)?.map(({ close }) => close)).toEqual([10, 11]);
  expect(client.getQueryData(openOrdersQuery.queryKey)).toEqual([]);
  expect(client.getQueryData(fillsQuery.queryKey)).toEqual([fill("1")]);
  expect(client.getQueryData(riskQuery.queryKey)?.kill_switch).toBe(true);
  expect(useLive.getState().status).toBe("live");
  expect(useLive.getState().priceAtMs).not.toBeNull();
});

it("leaves a list alone that was never loaded, rather than show a part as the whole", async () => {
  send("fill", fill("1"));
  await settle();
  expect(client.getQueryData(fillsQuery.queryKey)).toBeUndefined();
});

it("skips what it does not know and what is no JSON, and goes on", async () => {
  client.setQueryData(fillsQuery.queryKey, []);
  send("weather", { rain: true });
  server.latest().send("event: fill\ndata: {oops\n\n");
  send("fill", fill("1"));
  await settle();
  expect(client.getQueryData(fillsQuery.queryKey)).toHaveLength(1);
});

it("an answer that was on its way during an event does not undo the event", async () => {
  let answer: (fills: ReturnType<typeof fill>[]) => void = () => undefined;
  const asked = client.fetchQuery({ queryKey: fillsQuery.queryKey, queryFn: () => new Promise((resolve) => (answer = resolve)) });
  send("fill", fill("2"));
  await settle();
  answer([fill("1")]);
  await settle();
  await asked;
  expect(client.getQueryData(fillsQuery.queryKey)?.map(({ trade_id }) => trade_id)).toEqual(["2", "1"]);
});

it("loads everything anew when the stream is back after polling", async () => {
  client.setQueryData(fillsQuery.queryKey, []);
  server.latest().send(":\n\n");
  await settle();
  expect(client.getQueryState(fillsQuery.queryKey)?.isInvalidated).toBe(false);
  server.latest().close();
  await settle(1_000);
  expect(useLive.getState().status).toBe("polling");
  server.latest().open();
  server.latest().send(":\n\n");
  await settle();
  expect(useLive.getState().status).toBe("live");
  expect(client.getQueryState(fillsQuery.queryKey)?.isInvalidated).toBe(true);
});

it("says that nobody is logged in when the stream is refused with 401", async () => {
  stop();
  const owner: User = { username: "owner", role: "admin" };
  client.setQueryData(meQuery.queryKey, owner);
  stop = startLive(client, "/events");
  server.latest().open(401);
  await settle();
  expect(client.getQueryData(meQuery.queryKey)).toBeNull();
});
