import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { headroom, inUnit, LimitBar, usedShare } from "@/features/risk/LimitBar";

import { limit } from "../samples";

describe("usedShare", () => {
  it.each([
    ["1000", "250", 0.25],
    ["1000", "0", 0],
    ["1000", "-5", 0],
    ["0.05", "0.06", 1.2],
    ["0", "0", 0],
    ["0", "1", 1],
    [null, "7", null],
  ])("limit %s, used %s", (most, used, share) => {
    expect(usedShare(limit({ limit: most, used }))).toBe(share);
  });
});

it.each([
  ["0.0512", "fraction", "5.12 %"],
  ["1234.5", "USD", "1,234.50"],
  ["0.12345678", "BTC", "0.12345678"],
  ["41", "orders/min", "41"],
])("%s in %s reads %s", (value, unit, text) => {
  expect(inUnit(value, unit, "USD")).toBe(text);
});

it("headroom says how much is left, or by how much it is over", () => {
  expect(headroom(limit({ headroom: "750" }), "USD")).toBe("750.00 USD left");
  expect(headroom(limit({ headroom: "-20.5" }), "USD")).toBe("20.50 USD over");
  expect(headroom(limit({ headroom: null }), "USD")).toBe("");
});

describe("LimitBar", () => {
  it.each([
    ["599", ""],
    ["600", "near"],
    ["900", "close"],
    ["1000", "reached"],
  ])("used %s of 1000 says %j besides its colour", (used, word) => {
    render(<LimitBar limit={limit({ used })} currency="USD" />);
    if (word === "") expect(screen.queryByText(/near|close|reached/)).not.toBeInTheDocument();
    else expect(screen.getByText(word)).toBeInTheDocument();
  });

  it("is a meter that reads out use, limit and head-room", () => {
    render(<LimitBar limit={limit()} currency="USD" />);
    const meter = screen.getByRole("meter", { name: "daily loss" });
    expect(meter).toHaveAttribute("aria-valuenow", "25");
    expect(meter).toHaveAttribute("aria-valuetext", "250.00 of 1,000.00 USD, 750.00 USD left");
  });

  it("shows what is used where there is no limit", () => {
    render(<LimitBar limit={limit({ limit: null, headroom: null })} currency="USD" />);
    expect(screen.getByText("/ no limit")).toBeInTheDocument();
  });
});
