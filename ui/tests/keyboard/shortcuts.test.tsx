import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";

import { SHORTCUTS } from "@/lib/keyboard/shortcuts";
import { useShortcuts } from "@/lib/keyboard/useShortcuts";
import { useView } from "@/lib/view/store";

const onHelp = vi.fn();
const onClick = vi.fn();

function Page({ dialog = false }: { dialog?: boolean }) {
  useShortcuts(onHelp);
  return (
    <>
      <button id="kill-switch" onClick={onClick}>
        Stop
      </button>
      <input aria-label="text" />
      <dialog open={dialog} />
    </>
  );
}

beforeEach(() => {
  onHelp.mockReset();
  onClick.mockReset();
  useView.setState({ shortcuts: true, theme: "dark" });
  Element.prototype.scrollIntoView = () => undefined; // jsdom has no layout
});

it("no two shortcuts share a key", () => {
  expect(new Set(SHORTCUTS.map(({ key }) => key)).size).toBe(SHORTCUTS.length);
});

it("k moves the focus to the kill switch and does not press it", async () => {
  render(<Page />);
  await userEvent.keyboard("k");
  expect(screen.getByRole("button", { name: "Stop" })).toHaveFocus();
  expect(onClick).not.toHaveBeenCalled();
});

it("t changes the theme and ? opens the help", async () => {
  render(<Page />);
  await userEvent.keyboard("t?");
  expect(useView.getState().theme).toBe("light");
  expect(onHelp).toHaveBeenCalledOnce();
});

it("keys do nothing while a person types, holds a modifier or has a dialog open", async () => {
  const { rerender } = render(<Page />);
  await userEvent.click(screen.getByLabelText("text"));
  await userEvent.keyboard("k?");
  expect(screen.getByLabelText("text")).toHaveValue("k?");
  screen.getByLabelText("text").blur();
  await userEvent.keyboard("{Control>}k{/Control}");
  rerender(<Page dialog />);
  await userEvent.keyboard("k?");
  expect(screen.getByRole("button", { name: "Stop" })).not.toHaveFocus();
  expect(onHelp).not.toHaveBeenCalled();
});

it("can be switched off, all but the help that switches them on again", async () => {
  useView.setState({ shortcuts: false });
  render(<Page />);
  await userEvent.keyboard("k?");
  expect(screen.getByRole("button", { name: "Stop" })).not.toHaveFocus();
  expect(onHelp).toHaveBeenCalledOnce();
});
