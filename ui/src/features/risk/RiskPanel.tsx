"use client";

import { Panel } from "@/components/ui/Panel";
import { QueryState } from "@/components/ui/QueryState";
import { Scroll } from "@/components/ui/Scroll";
import { EmptyState } from "@/components/ui/states";
import { usePortfolio } from "@/features/portfolio/queries";

import { LimitBar } from "./LimitBar";
import { useRisk } from "./queries";

function Markets({ markets }: { markets: string[] | null }) {
  return (
    <div className="flex items-baseline justify-between gap-3 border-t border-line px-3 py-1.5">
      <span>Allowed markets</span>
      <span className="text-right text-dim">{markets === null ? "every market" : markets.join(", ") || "none"}</span>
    </div>
  );
}

export function RiskPanel({ className }: { className?: string }) {
  const query = useRisk();
  const { data: portfolio } = usePortfolio();
  return (
    <Panel id="risk" title="Risk limits" fresh={query} className={className} aside="used / limit">
      <QueryState query={query} what="The risk limits" rows={7}>
        {({ limits, allowed_markets }) => (
          <Scroll label="Risk limits">
            {limits.length === 0 ? (
              <EmptyState title="No limits are set">Set them in the environment, for example MAX_DAILY_LOSS.</EmptyState>
            ) : (
              <ul className="py-1">
                {limits.map((limit) => (
                  <LimitBar key={`${limit.name} ${limit.label}`} limit={limit} currency={portfolio?.currency} />
                ))}
              </ul>
            )}
            <Markets markets={allowed_markets} />
          </Scroll>
        )}
      </QueryState>
    </Panel>
  );
}
