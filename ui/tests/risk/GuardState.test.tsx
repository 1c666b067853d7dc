import { screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { GateBanner } from "@/features/risk/GateBanner";
import { riskQuery } from "@/features/risk/queries";
import { RiskPanel } from "@/features/risk/RiskPanel";
import type { Risk } from "@/features/risk/types";
import { systemQuery } from "@/features/system/queries";
import type { System } from "@/features/system/types";

import { renderWithClient } from "../render";
import { gate, limit, risk, system, unknownOrder } from "../samples";

const NOW_MS = Date.UTC(2031, 2, 4, 5, 6, 7);
const MINUTE_MS = 60_000;

function show(state: Partial<Risk>, platform: Partial<System> = {}) {
  return renderWithClient(
    <>
      <GateBanner />
      <RiskPanel />
    </>,
    (client) => {
      client.setQueryData(riskQuery.queryKey, risk({ limits: [limit()], ...state }));
      client.setQueryData(systemQuery.queryKey, system(platform));
    },
  );
}

const state = () => screen.getByTestId("guard-state");

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS });
  vi.stubGlobal("fetch", vi.fn<typeof fetch>(() => new Promise(() => undefined)));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("while nothing is wrong", () => {
  it("says so, and no banner is in the way", () => {
    show({ reconciled_ts_ms: NOW_MS - 12_000 }, { mode: "live" });
    expect(state()).toHaveTextContent("Gatesall open");
    expect(state()).toHaveTextContent("Unknown ordersnone");
    expect(state()).toHaveTextContent("Reconciled12 s ago");
    expect(screen.queryByTestId("gate-banner")).not.toBeInTheDocument();
  });

  it("on paper there is nobody to reconcile with", () => {
    show({});
    expect(state()).toHaveTextContent("on paper there is no exchange to ask");
  });
});

describe("closed gates", () => {
  const CLOSED = {
    gates: [
      gate({ since_ms: NOW_MS - 3 * MINUTE_MS }),
      gate({ gate: "market data", symbol: "BTC-USD", detail: "no price within 5 s", since_ms: NOW_MS - 2_000, opens: "by itself, with the next price" }),
    ],
  };

  it("each says which, since when, why, and what opens it", () => {
    show(CLOSED, { mode: "live" });
    expect(state()).toHaveTextContent("Gates2 closed");
    const [stream, market] = screen.getAllByTestId("gate");
    expect(stream).toHaveTextContent("streamfor 3 min 00 s, since");
    expect(stream).toHaveTextContent("the socket closedOpens by itself, when the user channel is back.");
    expect(within(market as HTMLElement).getByText("market data BTC-USD")).toBeInTheDocument();
    expect(market).toHaveTextContent("no price within 5 sOpens by itself, with the next price.");
  });

  it("the banner names them over the whole page", () => {
    show(CLOSED);
    expect(screen.getByRole("alert")).toHaveTextContent("2 gates are closed (stream, market data BTC-USD): orders are held back.");
    expect(screen.getByRole("link")).toHaveAttribute("href", "#risk");
  });

  it("an account that was never reconciled is told as that", () => {
    show({ gates: [gate({ gate: "start" })] }, { mode: "live" });
    expect(state()).toHaveTextContent("Reconcilednot since the guard started");
    expect(screen.getByRole("alert")).toHaveTextContent("1 gate is closed (start)");
  });
});

it("an unknown order has its age, what was heard, and what is being done", () => {
  show({ unknown_orders: [unknownOrder("s2-17-0", { since_ms: NOW_MS - 90_000 })] }, { mode: "live" });
  expect(state()).toHaveTextContent("Unknown orders1, counted in full");
  const order = screen.getByTestId("unknown-order");
  expect(order).toHaveTextContent("s2-17-0for 1 min 30 s, since");
  expect(order).toHaveTextContent("the answer was lostMeanwhile the exchange is asked for it at every look.");
  expect(screen.getByRole("alert")).toHaveTextContent("1 order is unknown.");
});

it("without the guard nothing is claimed of gates and orders", () => {
  show({ gates: [gate()] }, { guard_connected: false, mode: "live" });
  expect(state()).toHaveTextContent("not known: the guard is not connected");
  expect(screen.queryByTestId("gate")).not.toBeInTheDocument();
  expect(screen.queryByText(/all open/)).not.toBeInTheDocument();
  expect(screen.queryByTestId("gate-banner")).not.toBeInTheDocument();
});
