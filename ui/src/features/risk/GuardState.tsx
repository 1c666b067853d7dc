"use client";

import type { ReactNode } from "react";

import { Dot, type Tone } from "@/components/ui/Dot";
import { Time } from "@/components/ui/Time";
import { useSystem } from "@/features/system/queries";
import { formatAge } from "@/lib/format/time";
import { useNow } from "@/lib/react/useNow";

import { gateName } from "./gates";
import type { Gate, Risk, UnknownOrder } from "./types";

function Line({ name, tone, children }: { name: string; tone: Tone; children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-3 px-3 py-0.5">
      <span>{name}</span>
      <span className="inline-flex min-w-0 items-baseline gap-1.5 text-right">
        <Dot tone={tone} />
        <span>{children}</span>
      </span>
    </div>
  );
}

function Age({ sinceMs }: { sinceMs: number }) {
  const now = useNow();
  return <>{formatAge(now - sinceMs)}</>;
}

/** What is wrong, since when, why, and what ends it. */
function Trouble({ name, sinceMs, detail, ends, testId }: { name: string; sinceMs: number; detail: string; ends: string; testId: string }) {
  return (
    <li className="mx-3 my-1 rounded border-l-2 border-warn bg-warn/10 px-2 py-1 text-xs leading-4" data-testid={testId}>
      <div className="flex items-baseline justify-between gap-3">
        <strong className="min-w-0 break-all text-warn">{name}</strong>
        <span className="whitespace-nowrap text-dim">
          for <Age sinceMs={sinceMs} />, since <Time tsMs={sinceMs} />
        </span>
      </div>
      <p className="break-words first-letter:uppercase">{detail}</p>
      <p className="break-words text-dim">{ends}</p>
    </li>
  );
}

function Gates({ gates }: { gates: Gate[] }) {
  return (
    <>
      <Line name="Gates" tone={gates.length === 0 ? "good" : "bad"}>
        {gates.length === 0 ? "all open" : `${gates.length} closed`}
      </Line>
      {gates.length > 0 && (
        <ul aria-label="Closed gates">
          {gates.map((gate) => (
            <Trouble
              key={gateName(gate)}
              testId="gate"
              name={gateName(gate)}
              sinceMs={gate.since_ms}
              detail={gate.detail}
              ends={`Opens ${gate.opens}.`}
            />
          ))}
        </ul>
      )}
    </>
  );
}

function UnknownOrders({ orders }: { orders: UnknownOrder[] }) {
  return (
    <>
      <Line name="Unknown orders" tone={orders.length === 0 ? "good" : "bad"}>
        {orders.length === 0 ? "none" : `${orders.length}, counted in full`}
      </Line>
      {orders.length > 0 && (
        <ul aria-label="Unknown orders">
          {orders.map((order) => (
            <Trouble
              key={order.client_order_id}
              testId="unknown-order"
              name={order.client_order_id}
              sinceMs={order.since_ms}
              detail={order.detail}
              ends={`Meanwhile ${order.doing}.`}
            />
          ))}
        </ul>
      )}
    </>
  );
}

function Reconciled({ atMs, paper }: { atMs: number | null; paper: boolean }) {
  if (atMs !== null)
    return (
      <Line name="Reconciled" tone="good">
        <Age sinceMs={atMs} /> ago, at <Time tsMs={atMs} />
      </Line>
    );
  return paper ? (
    <Line name="Reconciled" tone="idle">
      on paper there is no exchange to ask
    </Line>
  ) : (
    <Line name="Reconciled" tone="bad">
      not since the guard started
    </Line>
  );
}

/** Whether orders may leave, at a glance: gates, orders whose fate is unknown, and when the exchange was last seen to agree. */
export function GuardState({ risk }: { risk: Risk }) {
  const { data: system } = useSystem();
  const connected = system?.guard_connected;
  return (
    <div className="border-b border-line py-1" data-testid="guard-state">
      {connected === false ? (
        <Line name="Gates and orders" tone="bad">
          not known: the guard is not connected
        </Line>
      ) : (
        <>
          <Gates gates={risk.gates} />
          <UnknownOrders orders={risk.unknown_orders} />
          <Reconciled atMs={risk.reconciled_ts_ms} paper={system?.mode !== "live"} />
        </>
      )}
    </div>
  );
}
