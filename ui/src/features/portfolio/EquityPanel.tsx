"use client";

import { Panel } from "@/components/ui/Panel";
import { QueryState } from "@/components/ui/QueryState";
import { EmptyState } from "@/components/ui/states";
import { formatMoney, formatPercent } from "@/lib/format/number";
import { useView } from "@/lib/view/store";

import { EquityChart } from "./EquityChart";
import { useEquity, usePortfolio } from "./queries";

function HighWater() {
  const { data } = usePortfolio();
  if (data === undefined) return null;
  return (
    <span title={`high-water mark ${data.high_water_mark}, drawdown ${data.drawdown}`}>
      peak {formatMoney(data.high_water_mark)} · down {formatPercent(data.drawdown)}
    </span>
  );
}

export function EquityPanel({ className }: { className?: string }) {
  const query = useEquity();
  const theme = useView((state) => state.theme);
  return (
    <Panel id="equity" title="Equity" fresh={query} className={className} aside={<HighWater />}>
      <QueryState query={query} what="The equity curve" rows={5}>
        {(points) =>
          points.length === 0 ? (
            <EmptyState title="No equity curve yet">It begins with the first mark of the account.</EmptyState>
          ) : (
            <EquityChart key={theme} points={points} />
          )
        }
      </QueryState>
    </Panel>
  );
}
