import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { ServerEvent } from "@/lib/live/sse";
import { intervalFor } from "@/lib/live/store";
import { EventStream, type StreamStatus } from "@/lib/live/stream";

import { streamServer } from "./server";

function setup() {
  const server = streamServer();
  const statuses: StreamStatus[] = [];
  const events: ServerEvent[] = [];
  const onUnauthorized = vi.fn();
  const stream = new EventStream({
    url: "/events",
    fetch: server.fetch,
    silenceMs: 25_000,
    retryMs: [500, 2_000],
    onEvents: (batch) => events.push(...batch),
    onStatus: (status) => statuses.push(status),
    onUnauthorized,
  });
  return { server, statuses, events, onUnauthorized, stream };
}

async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("EventStream", () => {
  it("is live from the first byte, even if that is only a heartbeat", async () => {
    const { server, statuses, stream } = setup();
    stream.start();
    server.latest().open();
    await settle();
    expect(statuses).toEqual(["connecting"]);
    server.latest().send(": hello\n\n");
    await settle();
    expect(statuses).toEqual(["connecting", "live"]);
  });

  it("hands on the events", async () => {
    const { server, events, stream } = setup();
    stream.start();
    server.latest().open();
    server.latest().send("event: fill\ndata: 1\n\nevent: fi");
    server.latest().send("ll\ndata: 2\n\n");
    await settle();
    expect(events).toEqual([
      { event: "fill", data: "1" },
      { event: "fill", data: "2" },
    ]);
  });

  it("falls back to polling when the server closes, and comes back by itself", async () => {
    const { server, statuses, stream } = setup();
    stream.start();
    server.latest().open();
    server.latest().send(":\n\n");
    await settle();
    server.latest().close();
    await settle();
    expect(statuses.at(-1)).toBe("polling");
    expect(server.connections).toHaveLength(1);
    await settle(500);
    expect(server.connections).toHaveLength(2);
    server.latest().open();
    server.latest().send(":\n\n");
    await settle();
    expect(statuses).toEqual(["connecting", "live", "polling", "live"]);
  });

  it("waits longer after each failure, and short again after a success", async () => {
    const { server, stream } = setup();
    stream.start();
    server.latest().fail();
    await settle(500);
    server.latest().fail();
    await settle(1_999);
    expect(server.connections).toHaveLength(2);
    await settle(1);
    expect(server.connections).toHaveLength(3);
    server.latest().open();
    server.latest().send(":\n\n");
    await settle();
    server.latest().close();
    await settle(500);
    expect(server.connections).toHaveLength(4);
  });

  it("gives up a connection that has gone silent without being closed", async () => {
    const { server, statuses, stream } = setup();
    stream.start();
    server.latest().open();
    server.latest().send(":\n\n");
    await settle(24_999);
    expect(statuses.at(-1)).toBe("live");
    server.latest().send(":\n\n");
    await settle(24_999);
    expect(statuses.at(-1)).toBe("live");
    await settle(1);
    expect(statuses.at(-1)).toBe("polling");
    expect(server.connections[0]?.aborted).toBe(true);
  });

  it("counts an error status as no stream", async () => {
    const { server, statuses, stream } = setup();
    stream.start();
    server.latest().open(503);
    await settle();
    expect(statuses.at(-1)).toBe("polling");
  });

  it("stops for good when it is told that nobody is logged in", async () => {
    const { server, statuses, onUnauthorized, stream } = setup();
    stream.start();
    server.latest().open(401);
    await settle(60_000);
    expect(onUnauthorized).toHaveBeenCalledOnce();
    expect(statuses.at(-1)).toBe("stopped");
    expect(server.connections).toHaveLength(1);
  });

  it("stop ends the connection and every retry; start begins anew", async () => {
    const { server, statuses, stream } = setup();
    stream.start();
    server.latest().fail();
    await settle();
    stream.stop();
    await settle(60_000);
    expect(server.connections).toHaveLength(1);
    stream.start();
    expect(server.connections).toHaveLength(2);
    stream.stop();
    expect(server.latest().aborted).toBe(true);
    await settle(60_000);
    expect(statuses).toEqual(["connecting", "polling", "stopped", "connecting", "stopped"]);
  });

  it("retryNow does not wait, and does not open a second connection beside one that is under way", async () => {
    const { server, stream } = setup();
    stream.start();
    stream.retryNow();
    expect(server.connections).toHaveLength(1);
    server.latest().fail();
    await settle();
    stream.retryNow();
    stream.retryNow();
    expect(server.connections).toHaveLength(2);
    await settle(10_000);
    expect(server.connections).toHaveLength(2);
  });
});

it("queries ask often without a stream and seldom with one", () => {
  expect(intervalFor("polling", 2_000)).toBe(2_000);
  expect(intervalFor("connecting", 2_000)).toBe(2_000);
  expect(intervalFor("live", 2_000)).toBeGreaterThanOrEqual(10_000);
});
