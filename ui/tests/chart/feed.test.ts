import { describe, expect, it } from "vitest";

import { follow } from "@/lib/chart/feed";

type P = { readonly time: number; readonly value: number };

function p(time: number, value = time): P {
  return { time, value };
}

/** A series that records how it was brought up to date, and refuses what the chart library refuses. */
function target() {
  const calls: string[] = [];
  let points: P[] = [];
  return {
    calls,
    points: () => points,
    setData: (all: P[]) => {
      calls.push("set");
      points = all;
    },
    update: (point: P) => {
      const last = points.at(-1);
      if (last !== undefined && point.time < last.time) throw new Error("cannot update the past");
      calls.push(`update ${point.time}`);
      points = last?.time === point.time ? [...points.slice(0, -1), point] : [...points, point];
    },
  };
}

function run(before: P[], now: P[]): string[] {
  const series = target();
  series.setData(before);
  series.calls.length = 0;
  follow(series, before, now);
  expect(series.points().slice(-now.length)).toEqual(now);
  return series.calls;
}

describe("follow", () => {
  it("draws a new series as a whole", () => {
    expect(run([], [p(1), p(2)])).toEqual(["set"]);
  });

  it("updates the last point when only that changed", () => {
    expect(run([p(1), p(2)], [p(1), p(2, 9)])).toEqual(["update 2"]);
  });

  it("appends what is new", () => {
    expect(run([p(1), p(2)], [p(1), p(2), p(3), p(4)])).toEqual(["update 2", "update 3", "update 4"]);
  });

  it("goes on when the oldest points fell off the front", () => {
    expect(run([p(1), p(2), p(3)], [p(2), p(3), p(4)])).toEqual(["update 3", "update 4"]);
  });

  it.each([
    ["a gap in the past was filled", [p(1), p(3)], [p(1), p(2), p(3)]],
    ["a past value was corrected", [p(1), p(2), p(3)], [p(1), p(2, 9), p(3), p(4)]],
    ["the list is of another time", [p(5), p(6)], [p(1), p(2)]],
    ["more history was loaded", [p(3), p(4)], [p(1), p(2), p(3), p(4)]],
    ["it became empty", [p(1)], []],
  ])("draws all anew when %s", (_, before, now) => {
    expect(run(before, now)).toEqual(["set"]);
  });
});
