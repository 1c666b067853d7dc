import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Panel } from "@/components/ui/Panel";

let broken = true;

function Fragile() {
  if (broken) throw new Error("no such field");
  return <p>whole again</p>;
}

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => undefined); // React's own report of the error that this test throws
  vi.stubGlobal("reportError", vi.fn());
});
afterEach(() => void vi.unstubAllGlobals());

it("a panel that breaks leaves the others standing, reports it, and can be tried again", async () => {
  broken = true;
  render(
    <>
      <Panel id="a" title="Fragile">
        <Fragile />
      </Panel>
      <Panel id="b" title="Sound">
        <p>still here</p>
      </Panel>
    </>,
  );
  expect(screen.getByText("still here")).toBeInTheDocument();
  expect(screen.getByRole("alert")).toHaveTextContent("This part of the page failed: no such field");
  expect(window.reportError).toHaveBeenCalledOnce();
  broken = false;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(screen.getByText("whole again")).toBeInTheDocument();
});
