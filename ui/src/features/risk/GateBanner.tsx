"use client";

import { useRisk } from "./queries";

/** While a gate of the guard is closed: which, and why, across the whole page. It opens by itself, so there is nothing to press. */
export function GateBanner() {
  const { data } = useRisk();
  if (data === undefined || data.gates.length === 0) return null;
  return (
    <div role="status" data-testid="gate-banner" className="flex flex-wrap items-baseline gap-x-3 border-b border-warn bg-raised px-3 py-1.5">
      <strong className="text-warn">
        <span aria-hidden="true">◆ </span>Orders are held back
      </strong>
      <ul className="flex flex-wrap gap-x-3">
        {data.gates.map((gate) => (
          <li key={gate}>{gate}</li>
        ))}
      </ul>
    </div>
  );
}
