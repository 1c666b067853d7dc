import type { Schemas } from "@/lib/api/client";

export type User = Schemas["UserOut"];
export type Role = User["role"];
export type Credentials = Schemas["LoginIn"];

const RANK: Record<Role, number> = { viewer: 0, trader: 1, admin: 2 };

/** Whether a user of this role may do what asks for `needed`. The API decides; this only spares a click that it would refuse. */
export function may(role: Role, needed: Role): boolean {
  return RANK[role] >= RANK[needed];
}
