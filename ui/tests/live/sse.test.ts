import { describe, expect, it } from "vitest";

import { sseParser } from "@/lib/live/sse";

const STREAM = 'event: market\ndata: {"price":1}\n\n: heartbeat\n\nevent: fill\r\ndata: {"a":\r\ndata: 2}\r\n\r\ndata: bare\n\n';
const EVENTS = [
  { event: "market", data: '{"price":1}' },
  { event: "fill", data: '{"a":\n2}' },
  { event: "message", data: "bare" },
];

describe("sseParser", () => {
  it("gives the events of a whole stream", () => {
    expect(sseParser()(STREAM)).toEqual(EVENTS);
  });

  it.each([1, 2, 3, 7, 20])("gives the same when it comes in pieces of %i", (length) => {
    const parse = sseParser();
    const pieces = Array.from({ length: Math.ceil(STREAM.length / length) }, (_, i) => STREAM.slice(i * length, (i + 1) * length));
    expect(pieces.flatMap(parse)).toEqual(EVENTS);
  });

  it("gives nothing for a comment or an event without data", () => {
    expect(sseParser()(": beat\n\nevent: fill\n\n")).toEqual([]);
  });

  it("holds an event back until its empty line", () => {
    const parse = sseParser();
    expect(parse("data: 1\n")).toEqual([]);
    expect(parse("\n")).toEqual([{ event: "message", data: "1" }]);
  });
});
