"use client";

import { DataTable } from "@/components/ui/DataTable";
import { Panel } from "@/components/ui/Panel";
import { QueryState } from "@/components/ui/QueryState";
import { EmptyState } from "@/components/ui/states";

import { OPEN_COLUMNS } from "./columns";
import { useOpenOrders } from "./queries";

export function OpenOrdersPanel({ className }: { className?: string }) {
  const query = useOpenOrders();
  return (
    <Panel id="orders" title="Open orders" count={query.data?.length} fresh={query} className={className}>
      <QueryState query={query} what="Open orders" rows={2}>
        {(orders) =>
          orders.length === 0 ? (
            <EmptyState title="No open orders">Orders that wait at the venue stand here.</EmptyState>
          ) : (
            <DataTable label="Open orders" columns={OPEN_COLUMNS} rows={orders} rowKey={(row) => row.client_order_id} />
          )
        }
      </QueryState>
    </Panel>
  );
}
