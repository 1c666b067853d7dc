import { useQuery } from "@tanstack/react-query";
import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { Panel } from "@/components/ui/Panel";
import { QueryState } from "@/components/ui/QueryState";

import { renderWithClient } from "../render";

const ask = vi.fn<() => Promise<string>>();

function Subject() {
  const query = useQuery({ queryKey: ["subject"], queryFn: ask });
  return (
    <Panel id="subject" title="Subject" fresh={query}>
      <QueryState query={query} what="The subject">
        {(text) => <p>{text}</p>}
      </QueryState>
    </Panel>
  );
}

it("goes from loading to the data, and marks data as old when it cannot be renewed", async () => {
  ask.mockResolvedValueOnce("first");
  const { client } = renderWithClient(<Subject />);
  expect(screen.getByRole("status", { name: "Loading" })).toBeInTheDocument();
  expect(await screen.findByText("first")).toBeInTheDocument();
  ask.mockRejectedValueOnce(new Error("gone"));
  await act(() => client.refetchQueries());
  expect(await screen.findByText(/^old: from/)).toHaveAttribute("title", "gone");
  expect(screen.getByText("first")).toBeInTheDocument();
  expect(screen.getByRole("region", { name: "Subject" })).toHaveAttribute("data-stale", "true");
  ask.mockResolvedValueOnce("second");
  await act(() => client.refetchQueries());
  expect(await screen.findByText("second")).toBeInTheDocument();
  expect(screen.queryByText(/^old: from/)).not.toBeInTheDocument();
});

it("says what failed, does not blink to loading while it asks again, and recovers", async () => {
  ask.mockRejectedValueOnce(new Error("gone"));
  renderWithClient(<Subject />);
  expect(await screen.findByRole("alert")).toHaveTextContent("The subject could not be loaded: gone.");
  let answer: (text: string) => void = () => undefined;
  ask.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(screen.getByRole("alert")).toBeInTheDocument();
  await act(async () => answer("here"));
  expect(await screen.findByText("here")).toBeInTheDocument();
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});
