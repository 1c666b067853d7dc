"use client";

import type { ReactNode } from "react";

import { Time } from "@/components/ui/Time";
import { isUnreachable } from "@/lib/api/client";
import { formatAge } from "@/lib/format/time";
import { useLastError } from "@/lib/react/useLastError";

import { useMarketAge, useSystem } from "./queries";
import type { Component } from "./types";

function Alert({ children }: { children: ReactNode }) {
  return (
    <p role="alert" className="border-b border-warn/40 bg-warn/10 px-3 py-1 text-warn">
      <span aria-hidden="true" className="mr-2">
        ▲
      </span>
      {children}
    </p>
  );
}

function StaleMarket() {
  const age = useMarketAge();
  if (age === null) return <strong>No market data has arrived yet.</strong>;
  return (
    <>
      <strong>Market data is stale.</strong> The newest price came {formatAge(age)} ago.
    </>
  );
}

function GuardAway({ components }: { components: Component[] }) {
  const guard = components.find(({ component }) => component === "guard");
  return (
    <>
      <strong>The guard is not connected{guard === undefined || guard.state === "up" ? "" : `: ${guard.detail}`}.</strong> No order can
      leave; positions and limits are as last known.
    </>
  );
}

/** What is wrong with the platform as a whole, in words; nothing when nothing is. */
export function Alerts() {
  const query = useSystem();
  const { data, dataUpdatedAt } = query;
  const error = useLastError(query);
  if (isUnreachable(error))
    return (
      <Alert>
        <strong>No answer from the API.</strong>{" "}
        {data === undefined ? "Nothing could be loaded yet." : <>Everything below is as of <Time tsMs={dataUpdatedAt} />.</>} It keeps
        trying.
      </Alert>
    );
  if (data === undefined) return null;
  return (
    <>
      {!data.guard_connected && (
        <Alert>
          <GuardAway components={data.components} />
        </Alert>
      )}
      {data.market_stale && (
        <Alert>
          <StaleMarket />
        </Alert>
      )}
    </>
  );
}
