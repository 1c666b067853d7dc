import type { ReactNode } from "react";

import { direction, type Numeric } from "@/lib/format/number";

const COLOURS = { "-1": "text-down", "0": "", "1": "text-up" } as const;

interface SignedProps {
  value: Numeric;
  /** The text of it, which carries the sign too: colour is never the only one that tells. */
  children: ReactNode;
  title?: string;
}

export function Signed({ value, children, title }: SignedProps) {
  return (
    <span className={COLOURS[direction(value)]} title={title ?? (typeof value === "string" ? value : undefined)}>
      {children}
    </span>
  );
}
