"use client";

import { useRouter } from "next/navigation";
import { type ReactNode, useEffect } from "react";

import { Logo } from "@/components/ui/Logo";
import { ErrorState } from "@/components/ui/states";
import { errorText } from "@/lib/api/client";
import { useLastError } from "@/lib/react/useLastError";

import { useMe } from "./queries";

/** The page for who is logged in; anyone else goes to the login. */
export function RequireLogin({ children }: { children: ReactNode }) {
  const router = useRouter();
  const me = useMe();
  const error = useLastError(me);
  const loggedOut = me.data === null;

  useEffect(() => {
    if (loggedOut) router.replace("/login/");
  }, [loggedOut, router]);

  if (me.data !== undefined && me.data !== null) return children;
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      {error !== null ? (
        <ErrorState message={`The dashboard cannot start: ${errorText(error)}. It keeps trying.`} onRetry={() => void me.refetch()} />
      ) : (
        <p role="status" className="animate-pulse text-lg">
          <Logo />
          <span className="sr-only">Loading</span>
        </p>
      )}
    </main>
  );
}
