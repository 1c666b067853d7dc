import { expect, it } from "vitest";

import { may, type Role } from "@/features/session/types";

it.each<[Role, Role, boolean]>([
  ["viewer", "viewer", true],
  ["viewer", "trader", false],
  ["trader", "trader", true],
  ["trader", "admin", false],
  ["admin", "trader", true],
  ["admin", "admin", true],
])("a %s may do what needs a %s: %s", (role, needed, allowed) => {
  expect(may(role, needed)).toBe(allowed);
});
