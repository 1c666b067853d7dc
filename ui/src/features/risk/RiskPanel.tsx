"use client";

import { Panel } from "@/components/ui/Panel";
import { QueryState } from "@/components/ui/QueryState";
import { Scroll } from "@/components/ui/Scroll";
import { EmptyState } from "@/components/ui/states";
import { usePortfolio } from "@/features/portfolio/queries";

import { GuardState } from "./GuardState";
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
    <Panel id="risk" title="Risk" fresh={query} className={className} aside="used / limit">
      <QueryState query={query} what="The state of the guard and its limits" rows={7}>
        {(risk) => (
          <Scroll label="Risk">
            <GuardState risk={risk} />
            {risk.limits.length === 0 ? (
              <EmptyState title="No limits are set">Set them in the environment, for example MAX_DAILY_LOSS.</EmptyState>
            ) : (
              <ul className="py-1">
                {risk.limits.map((limit) => (
                  <LimitBar key={`${limit.name} ${limit.label}`} limit={limit} currency={portfolio?.currency} />
                ))}
              </ul>
            )}
            <Markets markets={risk.allowed_markets} />
          </Scroll>
        )}
      </QueryState>
    </Panel>
  );
}
