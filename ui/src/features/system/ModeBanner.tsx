"use client";

import { useSystem } from "./queries";

const MONEY = { paper: "simulated money", live: "real money" } as const;

/** What is at stake, on every page and at every scroll position. It claims nothing before the platform has said it. */
export function ModeBanner() {
  const { data } = useSystem();
  if (data === undefined)
    return <div className="h-6 bg-raised text-center text-2xs leading-6 text-dim">asking which mode this is …</div>;
  const paper = data.mode === "paper";
  return (
    <div
      role="note"
      aria-label="Trading mode"
      data-testid="mode-banner"
      className={`flex h-6 items-center justify-center gap-2 px-3 text-xs whitespace-nowrap ${paper ? "bg-paper text-on-paper" : "bg-stop text-on-stop"}`}
    >
      <strong className="tracking-[0.2em]">{data.mode.toUpperCase()}</strong>
      <span className="truncate">
        — {data.venue}: {MONEY[data.mode]}
      </span>
    </div>
  );
}
