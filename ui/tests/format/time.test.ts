import { describe, expect, it } from "vitest";

import { formatAge, formatLocal, formatUtc } from "@/lib/format/time";

const NOW = Date.UTC(2026, 10, 20, 12, 0, 0);

describe("formatLocal (Europe/Berlin)", () => {
  it("shows only the clock for today", () => {
    expect(formatLocal(Date.UTC(2026, 10, 20, 9, 5, 7, 250), NOW)).toBe("10:05:07");
  });

  it("is today by the local calendar, not by UTC's", () => {
    expect(formatLocal(Date.UTC(2026, 10, 19, 23, 30), NOW)).toBe("00:30:00");
  });

  it("adds the date and then the year further back", () => {
    expect(formatLocal(Date.UTC(2026, 6, 1, 10, 0, 0), NOW)).toBe("01 Jul 12:00:00"); // summer time
    expect(formatLocal(Date.UTC(2021, 0, 5, 10, 0, 0), NOW)).toBe("05 Jan 2021 11:00:00");
  });
});

it("formatUtc has milliseconds and names its zone", () => {
  expect(formatUtc(Date.UTC(2026, 10, 20, 9, 5, 7, 25))).toBe("2026-11-20 09:05:07.025 UTC");
});

it.each([
  [-5, "0 ms"],
  [850, "850 ms"],
  [4250, "4.2 s"],
  [9990, "9.9 s"],
  [59_999, "59 s"],
  [185_000, "3 min 05 s"],
  [7_800_000, "2 h 10 min"],
  [273_600_000, "3 d 4 h"],
])("formatAge(%i) is %s", (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});
