"use client";

import { useState } from "react";

import { cx } from "@/components/ui/cx";
import { useMe } from "@/features/session/queries";
import { may } from "@/features/session/types";
import { useSystem } from "@/features/system/queries";
import { errorText } from "@/lib/api/client";

import { useKillSwitch, useRisk } from "./queries";
import { ResumeDialog } from "./ResumeDialog";

export const KILL_SWITCH_ID = "kill-switch";
const STOP_REASON = "stopped from the dashboard";

const BUTTON =
  "inline-flex min-h-9 items-center justify-center gap-2 rounded-md border-2 px-4 font-bold tracking-wide whitespace-nowrap uppercase transition-colors " +
  "disabled:cursor-not-allowed disabled:opacity-50 max-sm:min-h-12 max-sm:flex-1 max-sm:text-base";
const STOP = "border-stop bg-stop text-on-stop hover:border-stop-strong hover:bg-stop-strong";
const RESUME = "border-ink bg-panel text-ink hover:bg-raised";

interface StateWord {
  readonly word: string;
  readonly sign: string;
  readonly className: string;
}

/** Of a guard that is away nothing is known but a switch that is on: that stays on. */
function stateWord(on: boolean | undefined, heldBack: boolean, guardAway: boolean): StateWord {
  if (on === undefined || (guardAway && !on)) return { word: "State unknown", sign: "?", className: "text-warn" };
  if (on) return { word: "Stopped", sign: "■", className: "text-down" };
  return heldBack ? { word: "Held back", sign: "◆", className: "text-warn" } : { word: "Trading", sign: "●", className: "text-up" };
}

/** One click stops trading; resuming asks an admin for a reason. While the state is not known, it can still be stopped. */
export function KillSwitch() {
  const { data: risk } = useRisk();
  const { data: user } = useMe();
  const kill = useKillSwitch();
  const [resuming, setResuming] = useState(false);
  const role = user?.role ?? "viewer";
  const on = risk?.kill_switch;
  const { word, sign, className } = stateWord(on, (risk?.gates.length ?? 0) > 0, useSystem().data?.guard_connected === false);

  return (
    <div className="flex items-center gap-3 max-sm:w-full">
      <span role="status" aria-live="assertive" className={cx("font-semibold whitespace-nowrap", className)} data-testid="kill-state">
        <span aria-hidden="true" className="mr-1.5">
          {sign}
        </span>
        {word}
      </span>
      {on === true ? (
        <button
          id={KILL_SWITCH_ID}
          type="button"
          className={cx(BUTTON, RESUME)}
          disabled={!may(role, "admin")}
          title={may(role, "admin") ? "Asks for a reason" : `Only an admin may resume; you are ${role}.`}
          onClick={() => setResuming(true)}
        >
          Resume…
        </button>
      ) : (
        <button
          id={KILL_SWITCH_ID}
          type="button"
          className={cx(BUTTON, STOP)}
          disabled={!may(role, "trader") || kill.isPending}
          aria-busy={kill.isPending}
          title={may(role, "trader") ? "Kill switch: one click, no more orders" : `Only a trader may stop trading; you are ${role}.`}
          onClick={() => kill.mutate({ on: true, reason: STOP_REASON })}
        >
          {kill.isPending ? "Stopping…" : "Stop trading"}
        </button>
      )}
      {kill.isError && on !== true && (
        <p role="alert" className="fixed inset-x-3 top-16 z-40 rounded-md bg-stop px-4 py-3 font-semibold text-on-stop shadow-2xl sm:left-auto sm:max-w-md">
          Trading was NOT stopped: {errorText(kill.error)}. Try again, or end the traider process.
          <button type="button" className="ml-3 underline underline-offset-2" onClick={() => kill.reset()}>
            Dismiss
          </button>
        </p>
      )}
      {resuming && on === true && <ResumeDialog stoppedBecause={risk?.kill_reason ?? ""} onClose={() => setResuming(false)} />}
    </div>
  );
}
