"use client";

import { Dot } from "@/components/ui/Dot";

import { useConnection } from "./connection";

export function ConnectionTag() {
  const { tone, word, meaning } = useConnection();
  return (
    <span role="status" title={meaning} data-testid="connection" className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <Dot tone={tone} />
      {word}
    </span>
  );
}
