import { expect, it } from "vitest";

import { dailyReturn, isFlat, netPnl, unrealized } from "@/features/portfolio/pnl";
import { equitySeries } from "@/features/portfolio/series";
import { formatMoney, formatPercent } from "@/lib/format/number";

import { portfolio, position } from "../samples";

it("unrealized adds the positions exactly", () => {
  const positions = [position({ unrealized_pnl: "0.1" }), position({ unrealized_pnl: "0.2" }), position({ unrealized_pnl: "-0.3" })];
  expect(unrealized(portfolio({ positions })).digits).toBe(BigInt(0));
});

it("netPnl is realised and unrealised less fees", () => {
  expect(formatMoney(netPnl(position({ realized_pnl: "3", unrealized_pnl: "-5.5", fees: "0.25" })), "always")).toBe("−2.75");
});

it("dailyReturn is of the equity at the start of the day", () => {
  expect(formatPercent(dailyReturn(portfolio({ equity: "1010", daily_pnl: "10" })), "always")).toBe("+1.00 %");
  expect(dailyReturn(portfolio({ equity: "10", daily_pnl: "10" }))).toBeNull();
});

it("isFlat knows every spelling of zero", () => {
  expect(["0", "0.000", "-0", "0E-8"].map((size) => isFlat(position({ size })))).toEqual([true, true, true, true]);
  expect(isFlat(position({ size: "-0.00000001" }))).toBe(false);
});

it("equitySeries draws one point a second and the drawdown downwards in percent", () => {
  const points = [
    { ts_ms: 1_100, equity: "100", drawdown: "0" },
    { ts_ms: 1_900, equity: "99", drawdown: "0.01" },
    { ts_ms: 2_000, equity: "98", drawdown: "0.02" },
  ];
  expect(equitySeries(points)).toEqual({
    equity: [
      { time: 1, value: 99 },
      { time: 2, value: 98 },
    ],
    drawdown: [
      { time: 1, value: -1 },
      { time: 2, value: -2 },
    ],
  });
});
