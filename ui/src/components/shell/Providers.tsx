"use client";

import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect, useLayoutEffect, useState } from "react";

import { meQuery } from "@/features/session/queries";
import { isUnauthorized } from "@/lib/api/client";
import { useView } from "@/lib/view/store";

function newClient(): QueryClient {
  const client = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (isUnauthorized(error)) client.setQueryData(meQuery.queryKey, null);
      },
    }),
    defaultOptions: {
      // Every query asks again by itself, so a failure is shown at once rather than after retries that nobody sees. The API may
      // run on this very machine: the browser's idea of being online says nothing about it.
      queries: { retry: false, networkMode: "always", refetchOnWindowFocus: true, staleTime: 1_000 },
      mutations: { retry: false, networkMode: "always" },
    },
  });
  return client;
}

function useTheme(): void {
  const theme = useView((state) => state.theme);
  useEffect(() => void useView.persist.rehydrate(), []);
  // Before the charts' effects, which read the colours.
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
}

export function Providers({ children }: { children: ReactNode }) {
  const [client] = useState(newClient);
  useTheme();
  return <QueryClientProvider client={client}>{children}</QueryClientProvider>;
}
