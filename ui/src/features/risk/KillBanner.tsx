"use client";

import { Time } from "@/components/ui/Time";

import { useRisk } from "./queries";

/** While trading is stopped: across the whole page, with who, when and why. */
export function KillBanner() {
  const { data } = useRisk();
  if (data?.kill_switch !== true) return null;
  return (
    <div data-testid="kill-banner" className="flex flex-wrap items-baseline gap-x-3 bg-stop px-3 py-1.5 text-on-stop">
      <strong className="tracking-wide uppercase">
        <span aria-hidden="true">■ </span>Kill switch is on
      </strong>
      <span>No new order is sent.</span>
      <span>
        {data.kill_reason !== "" && <>Reason: {data.kill_reason}. </>}
        {data.kill_by !== "" && <>By {data.kill_by}</>}
        {data.kill_ts_ms !== null && (
          <>
            {" at "}
            <Time tsMs={data.kill_ts_ms} />
          </>
        )}
      </span>
    </div>
  );
}
