"use client";

import type { UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";

/**
 * Why the query has not succeeded since it last failed, or null. A query without data forgets its error while it asks again, which
 * would blink between failed and loading with every attempt.
 */
export function useLastError({ error, isSuccess }: Pick<UseQueryResult, "error" | "isSuccess">): Error | null {
  const [last, setLast] = useState<Error | null>(null);
  const now = isSuccess ? null : (error ?? last);
  if (now !== last) setLast(now);
  return now;
}
