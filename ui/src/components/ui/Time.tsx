"use client";

import { formatLocal, formatUtc } from "@/lib/format/time";
import { useNow } from "@/lib/react/useNow";

/** Local time, UTC on hover. */
export function Time({ tsMs, className }: { tsMs: number; className?: string }) {
  const now = useNow();
  return (
    <time dateTime={new Date(tsMs).toISOString()} title={formatUtc(tsMs)} className={className}>
      {formatLocal(tsMs, now)}
    </time>
  );
}
