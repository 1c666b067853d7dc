"use client";

import { useSystem } from "@/features/system/queries";

import { closedWords, gateName, unknownWords } from "./gates";
import { useRisk } from "./queries";

/** While gates are closed or orders unknown: across the whole page, in one line; the risk panel has the particulars. */
export function GateBanner() {
  const { data } = useRisk();
  const { data: system } = useSystem();
  if (data === undefined || system?.guard_connected === false) return null;
  const { gates, unknown_orders: unknown } = data;
  if (gates.length === 0 && unknown.length === 0) return null;
  return (
    <p role="alert" data-testid="gate-banner" className="border-b border-warn/40 bg-warn/10 px-3 py-1 text-warn">
      <span aria-hidden="true" className="mr-2">
        ▲
      </span>
      {gates.length > 0 && (
        <>
          <strong>{closedWords(gates.length)}</strong> ({gates.map(gateName).join(", ")}): orders are held back.{" "}
        </>
      )}
      {unknown.length > 0 && <strong>{unknownWords(unknown.length)}.</strong>}{" "}
      <a href="#risk" className="underline underline-offset-2">
        Why, and what is being done
      </a>
    </p>
  );
}
