import { describe, expect, it } from "vitest";

import { joinTail, skipsACandle } from "@/features/market/tail";

import { candle } from "../samples";

function at(...seconds: number[]) {
  return seconds.map((second) => candle(second * 1_000, second));
}

describe("joinTail", () => {
  it("fills gaps and corrects values at the end of what is known", () => {
    const known = [...at(1, 2, 3), candle(4_000, 99), ...at(7)];
    expect(joinTail(known, at(3, 4, 5, 6, 7), 10)).toEqual(at(1, 2, 3, 4, 5, 6, 7));
  });

  it("keeps the newest", () => {
    expect(joinTail(at(1, 2, 3), at(3, 4, 5), 3)).toEqual(at(3, 4, 5));
  });

  it.each([
    ["there may be a gap", at(1, 2), at(4, 5)],
    ["nothing is known", [], at(1)],
    ["nothing was answered", at(1), []],
    ["the market began anew", at(100, 101), at(1, 2)],
  ])("is null when %s", (_, known, tail) => {
    expect(joinTail(known, tail, 10)).toBeNull();
  });
});

it("skipsACandle sees a step that is longer than the shortest", () => {
  expect(skipsACandle(at(1, 2, 5, 8), candle(11_000, 1))).toBe(true);
  expect(skipsACandle(at(1, 2), candle(3_000, 1))).toBe(false);
  expect(skipsACandle(at(1, 2), candle(2_000, 1))).toBe(false);
  expect(skipsACandle(at(1, 2), candle(4_000, 1))).toBe(true);
  expect(skipsACandle(at(1), candle(9_000, 1))).toBe(false);
});
