import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { GateBanner } from "@/features/risk/GateBanner";
import { KillSwitch } from "@/features/risk/KillSwitch";
import { riskQuery } from "@/features/risk/queries";
import type { Risk } from "@/features/risk/types";
import { meQuery } from "@/features/session/queries";
import type { User } from "@/features/session/types";

import { renderWithClient } from "../render";
import { risk } from "../samples";

const TRADER: User = { username: "someone", role: "trader" };

function show(state: Risk) {
  return renderWithClient(
    <>
      <KillSwitch />
      <GateBanner />
    </>,
    (client) => {
      client.setQueryData(meQuery.queryKey, TRADER);
      client.setQueryData(riskQuery.queryKey, state);
    },
  );
}

const gate = (name: string, detail: string) => ({ gate: name, symbol: "", detail, opens: "by itself", since_ms: 1 });
const CLOSED = { gates: [gate("start", "the exchange was not asked yet"), gate("stream", "not connected yet")] };

describe("the guard's gates", () => {
  it("while one is closed, says which, and that orders are held back", () => {
    show(risk(CLOSED));
    expect(screen.getByTestId("kill-state")).toHaveTextContent("Held back");
    expect(screen.getByTestId("gate-banner")).toHaveTextContent("2 gates are closed (start, stream): orders are held back.");
    expect(screen.getByRole("button", { name: "Stop trading" })).toBeEnabled();
  });

  it("while all are open, says nothing", () => {
    show(risk());
    expect(screen.getByTestId("kill-state")).toHaveTextContent("Trading");
    expect(screen.queryByTestId("gate-banner")).toBeNull();
  });

  it("a kill switch that is on says more", () => {
    show(risk({ ...CLOSED, kill_switch: true, kill_reason: "fat finger", kill_by: "owner", kill_ts_ms: 1 }));
    expect(screen.getByTestId("kill-state")).toHaveTextContent("Stopped");
  });
});
