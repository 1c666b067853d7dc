import type { Schemas } from "@/lib/api/client";

export type Order = Schemas["OrderOut"];
export type OrderStatus = Order["status"];

const CAN_STILL_FILL: ReadonlySet<OrderStatus> = new Set(["pending", "open", "partially_filled", "unknown"]);

export function isOpen(order: Order): boolean {
  return CAN_STILL_FILL.has(order.status);
}
