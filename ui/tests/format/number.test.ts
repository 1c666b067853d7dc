import { describe, expect, it } from "vitest";

import {
  direction,
  formatFee,
  formatFloatPrice,
  formatFloatSize,
  formatMoney,
  formatNumber,
  formatPercent,
  formatPrice,
  formatSize,
  NOTHING,
} from "@/lib/format/number";

describe("formatNumber", () => {
  it("groups thousands and uses the typographic minus", () => {
    expect(formatNumber("-1234567.5")).toBe("−1,234,567.5");
  });

  it("spells every digit of a number that no float holds", () => {
    expect(formatNumber("9007199254740993.123456789")).toBe("9,007,199,254,740,993.123456789");
  });

  it("drops the sign of what rounds to zero", () => {
    expect(formatNumber("-0.004", { least: 2, most: 2, signs: "always" })).toBe("0.00");
  });

  it.each([null, undefined, "", "NaN"])("shows %j as nothing", (value) => {
    expect(formatNumber(value)).toBe(NOTHING);
  });
});

describe("prices, money, sizes, percentages", () => {
  it.each([
    ["64213.1", "64,213.10"],
    ["64213.123456", "64,213.12"],
    ["3123.4567", "3,123.457"],
    ["1.5", "1.50"],
    ["0.00001234", "0.00001234"],
    ["0.1", "0.10"],
    ["0", "0.00"],
    ["123456789.987", "123,456,789.99"],
  ])("price %s", (value, expected) => {
    expect(formatPrice(value)).toBe(expected);
  });

  it("price of a float is the shortest text that gives the float back", () => {
    expect(formatFloatPrice(64213.07)).toBe("64,213.07");
    expect(formatFloatPrice(1e-7)).toBe("0.0000001");
    expect(formatFloatPrice(Number.NaN)).toBe(NOTHING);
  });

  it("a sum of sizes does not show the rounding of floats", () => {
    expect(formatFloatSize(0.01 + 0.00756677 + 0.01)).toBe("0.02756677");
    expect(formatFloatSize(0.017566770000000002)).toBe("0.01756677");
    expect(formatFloatSize(1e-8)).toBe("0.00000001");
    expect(formatFloatSize(12)).toBe("12");
    expect(formatFloatSize(Number.NaN)).toBe(NOTHING);
  });

  it("money has cents and may show its sign", () => {
    expect(formatMoney("1000000")).toBe("1,000,000.00");
    expect(formatMoney("12.345", "always")).toBe("+12.35");
    expect(formatMoney("0", "always")).toBe("0.00");
  });

  it("size is exact", () => {
    expect(formatSize("0.10000000")).toBe("0.1");
    expect(formatSize("-2.00000001", "always")).toBe("−2.00000001");
  });

  it.each([
    ["0.00001234", "0.00001234"],
    ["12.5", "12.50"],
    ["1.2019", "1.20"],
    ["0.0642130", "0.06421"],
  ])("fee %s", (value, expected) => {
    expect(formatFee(value)).toBe(expected);
  });

  it("a fraction becomes a percentage without a float", () => {
    expect(formatPercent("0.0123")).toBe("1.23 %");
    expect(formatPercent("0.29", "always", 0)).toBe("+29 %");
    expect(formatPercent("-0.00005")).toBe("−0.01 %");
  });

  it("direction", () => {
    expect([direction("-0.01"), direction("0.00"), direction("3"), direction(null)]).toEqual([-1, 0, 1, 0]);
  });
});
