"use client";

import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { errorText } from "@/lib/api/client";
import { useLastError } from "@/lib/react/useLastError";

import { ErrorState, LoadingState } from "./states";

interface QueryStateProps<T> {
  query: UseQueryResult<T>;
  /** What is shown, as it stands in "Positions could not be loaded". */
  what: string;
  rows?: number;
  children: (data: T) => ReactNode;
}

/** Loading, failed, or the data; data that was loaded once stays on a later failure, and the panel's frame says that it is old. */
export function QueryState<T>({ query, what, rows, children }: QueryStateProps<T>) {
  const error = useLastError(query);
  if (query.data !== undefined) return children(query.data);
  if (error !== null)
    return <ErrorState message={`${what} could not be loaded: ${errorText(error)}.`} onRetry={() => void query.refetch()} />;
  return <LoadingState rows={rows} />;
}
