import { describe, expect, it } from "vitest";

import { refusals } from "@/features/orders/refusals";

import { order } from "../samples";

function refused(id: string, rest: Parameters<typeof order>[1] = {}) {
  return order(id, { status: "rejected", reason: "kill switch is on", ...rest });
}

describe("refusals", () => {
  it("leaves out what was not refused", () => {
    expect(refusals([order("2"), order("1", { status: "filled" })])).toEqual([]);
  });

  it("counts the same wish in a row under its newest, also when other orders came in between", () => {
    const orders = [refused("4"), order("3", { status: "filled" }), refused("2"), refused("1")];
    expect(refusals(orders).map(({ newest, count }) => [newest.client_order_id, count])).toEqual([["4", 3]]);
  });

  it.each([{ side: "sell" as const }, { size: "2" }, { reason: "too many open orders" }, { symbol: "ETH-USD" }, { type: "stop" as const }])(
    "keeps apart what differs in %j",
    (rest) => {
      const groups = refusals([refused("3"), refused("2", rest), refused("1")]);
      expect(groups.map(({ newest, count }) => [newest.client_order_id, count])).toEqual([
        ["3", 1],
        ["2", 1],
        ["1", 1],
      ]);
    },
  );
});
