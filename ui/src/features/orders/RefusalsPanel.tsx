"use client";

import { DataTable } from "@/components/ui/DataTable";
import { Panel } from "@/components/ui/Panel";
import { QueryState } from "@/components/ui/QueryState";
import { EmptyState } from "@/components/ui/states";

import { REFUSAL_COLUMNS } from "./columns";
import { useRefusals } from "./queries";

export function RefusalsPanel({ className }: { className?: string }) {
  const query = useRefusals();
  return (
    <Panel id="refusals" title="Refused orders" count={query.data?.reduce((total, { count }) => total + count, 0)} fresh={query} className={className}>
      <QueryState query={query} what="Refused orders" rows={3}>
        {(groups) =>
          groups.length === 0 ? (
            <EmptyState title="No refused orders">What the risk check refuses stands here, with the reason.</EmptyState>
          ) : (
            <DataTable label="Refused orders" columns={REFUSAL_COLUMNS} rows={groups} rowKey={({ newest }) => newest.client_order_id} />
          )
        }
      </QueryState>
    </Panel>
  );
}
