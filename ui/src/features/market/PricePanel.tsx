"use client";

import { Panel } from "@/components/ui/Panel";
import { QueryState } from "@/components/ui/QueryState";
import { EmptyState } from "@/components/ui/states";
import { useSystem } from "@/features/system/queries";
import { useView } from "@/lib/view/store";

import { PriceChart } from "./PriceChart";
import { useCandles } from "./queries";

export function PricePanel({ className }: { className?: string }) {
  const query = useCandles();
  const { data: system } = useSystem();
  const theme = useView((state) => state.theme);
  return (
    <Panel
      id="price"
      title={system === undefined ? "Price" : `Price · ${system.symbol}`}
      fresh={query}
      className={className}
      aside={
        <>
          <span className="text-up">▲ bought</span>
          <span className="text-down">▼ sold</span>
        </>
      }
    >
      <QueryState query={query} what="Prices" rows={8}>
        {(candles) =>
          candles.length === 0 ? (
            <EmptyState title="No price yet">The chart begins with the first market event.</EmptyState>
          ) : (
            <PriceChart key={theme} candles={candles} />
          )
        }
      </QueryState>
    </Panel>
  );
}
