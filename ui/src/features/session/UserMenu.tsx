"use client";

import { Button } from "@/components/ui/Button";

import { useLogout, useMe } from "./queries";

export function UserMenu() {
  const { data: user } = useMe();
  const logout = useLogout();
  if (user === undefined || user === null) return null;
  return (
    <div className="flex items-center gap-1">
      <span className="text-dim max-lg:hidden" title={`logged in as ${user.username}, role ${user.role}`}>
        {user.username}
        {user.role !== user.username && <span className="ml-1.5 rounded bg-raised px-1.5 py-0.5 text-2xs">{user.role}</span>}
      </span>
      <Button look="ghost" onClick={() => logout.mutate()} disabled={logout.isPending} className="px-2">
        {logout.isError ? "Log out (failed, again?)" : "Log out"}
      </Button>
    </div>
  );
}
