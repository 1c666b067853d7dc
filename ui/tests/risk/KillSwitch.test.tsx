import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { KillBanner } from "@/features/risk/KillBanner";
import { KillSwitch } from "@/features/risk/KillSwitch";
import { riskQuery } from "@/features/risk/queries";
import type { Risk } from "@/features/risk/types";
import { meQuery } from "@/features/session/queries";
import type { Role, User } from "@/features/session/types";
import { systemQuery } from "@/features/system/queries";
import type { System } from "@/features/system/types";

import { renderWithClient } from "../render";
import { risk, system } from "../samples";

const fetched = vi.fn<typeof fetch>();

function show(role: Role, state: Risk | undefined, platform: Partial<System> = {}) {
  const user: User = { username: "someone", role };
  return renderWithClient(
    <>
      <KillSwitch />
      <KillBanner />
    </>,
    (client) => {
      client.setQueryData(meQuery.queryKey, user);
      client.setQueryData(systemQuery.queryKey, system(platform));
      if (state !== undefined) client.setQueryData(riskQuery.queryKey, state);
    },
  );
}

function sent(): unknown[] {
  return fetched.mock.calls.filter(([, init]) => init?.method === "POST").map(([, init]) => JSON.parse(String(init?.body)) as unknown);
}

function answer(state: Risk, status = 200): void {
  fetched.mockResolvedValueOnce(new Response(JSON.stringify(status === 200 ? state : { detail: "the guard does not answer" }), { status }));
}

const STOPPED = risk({ kill_switch: true, kill_reason: "fat finger", kill_by: "owner", kill_ts_ms: Date.now() });

beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
});
afterEach(() => void vi.unstubAllGlobals());

describe("while the guard is away", () => {
  it("nobody claims that it trades, and it can still be stopped", () => {
    show("trader", risk(), { guard_connected: false });
    expect(screen.getByTestId("kill-state")).toHaveTextContent("State unknown");
    expect(screen.getByRole("button", { name: "Stop trading" })).toBeEnabled();
  });

  it("a switch that was on is on", () => {
    show("trader", STOPPED, { guard_connected: false });
    expect(screen.getByTestId("kill-state")).toHaveTextContent("Stopped");
  });
});

describe("while trading", () => {
  it("one click stops, and the state is said at once", async () => {
    show("trader", risk());
    expect(screen.getByTestId("kill-state")).toHaveTextContent("Trading");
    answer(STOPPED);
    await userEvent.click(screen.getByRole("button", { name: "Stop trading" }));
    await waitFor(() => expect(screen.getByTestId("kill-state")).toHaveTextContent("Stopped"));
    expect(screen.getByTestId("kill-state")).toHaveAttribute("aria-live", "assertive");
    expect(screen.getByTestId("kill-banner")).toHaveTextContent("fat finger");
    expect(sent()).toEqual([{ on: true, reason: "stopped from the dashboard" }]);
  });

  it("says loudly when it could not stop", async () => {
    show("trader", risk());
    answer(STOPPED, 503);
    await userEvent.click(screen.getByRole("button", { name: "Stop trading" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("Trading was NOT stopped: the guard does not answer.");
    expect(screen.getByTestId("kill-state")).toHaveTextContent("Trading");
    expect(screen.getByRole("button", { name: "Stop trading" })).toBeEnabled();
  });

  it("a viewer cannot stop and is told why", () => {
    show("viewer", risk());
    const button = screen.getByRole("button", { name: "Stop trading" });
    expect(button).toBeDisabled();
    expect(button).toHaveAttribute("title", expect.stringContaining("you are viewer"));
  });

  it("can be stopped while its state is not known yet", () => {
    fetched.mockReturnValue(new Promise(() => undefined));
    show("trader", undefined);
    expect(screen.getByTestId("kill-state")).toHaveTextContent("State unknown");
    expect(screen.getByRole("button", { name: "Stop trading" })).toBeEnabled();
  });
});

describe("while stopped", () => {
  it("only an admin can resume", () => {
    show("trader", STOPPED);
    const button = screen.getByRole("button", { name: "Resume…" });
    expect(button).toBeDisabled();
    expect(button).toHaveAttribute("title", "Only an admin may resume; you are trader.");
  });

  async function open() {
    await userEvent.click(screen.getByRole("button", { name: "Resume…" }));
    return within(screen.getByRole("dialog", { name: "Resume trading" }));
  }

  it("asks for a reason, and blanks are none", async () => {
    show("admin", STOPPED);
    const dialog = await open();
    expect(dialog.getByText("fat finger")).toBeInTheDocument();
    expect(dialog.getByRole("button", { name: "Resume trading" })).toBeDisabled();
    await userEvent.type(dialog.getByRole("textbox"), "   ");
    expect(dialog.getByRole("button", { name: "Resume trading" })).toBeDisabled();
    expect(sent()).toEqual([]);
  });

  it("resumes with the reason and closes", async () => {
    show("admin", STOPPED);
    const dialog = await open();
    await userEvent.type(dialog.getByRole("textbox"), " checked the book ");
    answer(risk());
    await userEvent.click(dialog.getByRole("button", { name: "Resume trading" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
    expect(sent()).toEqual([{ on: false, reason: "checked the book" }]);
    expect(screen.getByTestId("kill-state")).toHaveTextContent("Trading");
    expect(screen.queryByTestId("kill-banner")).not.toBeInTheDocument();
  });

  it("stays open with the reason and says why when it is refused", async () => {
    show("admin", STOPPED);
    const dialog = await open();
    await userEvent.type(dialog.getByRole("textbox"), "all good");
    answer(STOPPED, 503);
    await userEvent.click(dialog.getByRole("button", { name: "Resume trading" }));
    expect(await dialog.findByText("Trading was not resumed: the guard does not answer.")).toBeInTheDocument();
    expect(dialog.getByRole("textbox")).toHaveValue("all good");
    expect(screen.getByTestId("kill-state")).toHaveTextContent("Stopped");
  });

  it("cancel changes nothing", async () => {
    show("admin", STOPPED);
    const dialog = await open();
    await userEvent.click(dialog.getByRole("button", { name: "Cancel" }));
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(sent()).toEqual([]);
  });
});
