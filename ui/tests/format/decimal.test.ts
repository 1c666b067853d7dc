import { describe, expect, it } from "vitest";

import { add, divide, parse, round, shift, sign, split, subtract, toNumber } from "@/lib/format/decimal";

function of(text: string) {
  const value = parse(text);
  if (value === null) throw new Error(`not a number: ${text}`);
  return value;
}

function spell(text: string, scale: number): string {
  const rounded = round(of(text), scale);
  const { whole, fraction } = split(rounded);
  return `${sign(rounded) < 0 ? "-" : ""}${whole}${fraction ? `.${fraction}` : ""}`;
}

describe("parse", () => {
  it.each([
    ["1", BigInt(1), 0],
    ["-0.10", BigInt(-10), 2],
    ["+.5", BigInt(5), 1],
    ["1E+3", BigInt(1000), 0],
    ["0E-8", BigInt(0), 8],
    ["12.5e-3", BigInt(125), 4],
  ])("%s", (text, digits, scale) => {
    expect(parse(text)).toEqual({ digits, scale });
  });

  it.each(["", ".", "-", "NaN", "Infinity", "1,000", "1.2.3", "0x10"])("%j is no number", (text) => {
    expect(parse(text)).toBeNull();
  });
});

describe("arithmetic", () => {
  it("adds what floats cannot", () => {
    expect(0.1 + 0.2).not.toBe(0.3);
    expect(add(of("0.1"), of("0.2"))).toEqual(of("0.3"));
  });

  it("keeps digits beyond a float's seventeen", () => {
    expect(subtract(of("100000000000000000000.00000001"), of("100000000000000000000"))).toEqual(of("0.00000001"));
  });

  it.each([
    ["1.005", 2, "1.01"],
    ["-1.005", 2, "-1.01"],
    ["2.675", 2, "2.68"],
    ["1.0049999", 2, "1.00"],
    ["0.5", 0, "1"],
    ["9.995", 2, "10.00"],
    ["12", 2, "12"],
  ])("rounds %s to %i places as %s: a half goes away from zero", (text, scale, expected) => {
    expect(spell(text, scale)).toBe(expected);
  });

  it.each([
    ["1", "3", 4, "0.3333"],
    ["-2", "3", 4, "-0.6667"],
    ["0.0000001", "1", 3, "0.000"],
    ["250", "0.5", 0, "500"],
  ])("%s / %s", (a, b, scale, expected) => {
    expect(divide(of(a), of(b), scale)).toEqual(of(expected));
  });

  it("has no quotient by zero", () => {
    expect(divide(of("1"), of("0.00"), 2)).toBeNull();
  });

  it("shifts exactly both ways", () => {
    expect(shift(of("0.0123"), 2)).toEqual(of("1.23"));
    expect(shift(of("5"), 2)).toEqual(of("500"));
    expect(shift(of("5"), -2)).toEqual(of("0.05"));
  });

  it("gives the nearest float for drawing", () => {
    expect(toNumber(of("64213.07"))).toBe(64213.07);
    expect(toNumber(of("-0.00000001"))).toBe(-1e-8);
  });
});
