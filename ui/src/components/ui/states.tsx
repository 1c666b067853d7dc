import type { ReactNode } from "react";

import { Button } from "./Button";

export function ErrorState({ message, onRetry }: { message: string; onRetry: () => void }) {
  return (
    <div role="alert" className="grid h-full min-h-24 place-content-center justify-items-center gap-2 p-4 text-center">
      <p className="max-w-prose">
        <span aria-hidden="true" className="mr-1.5 text-warn">
          ▲
        </span>
        {message}
      </p>
      <Button onClick={onRetry}>Try again</Button>
    </div>
  );
}

export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="grid h-full min-h-24 place-content-center p-4 text-center">
      <p className="font-medium">{title}</p>
      {children !== undefined && <p className="mt-0.5 text-dim">{children}</p>}
    </div>
  );
}

const WIDTHS = ["w-11/12", "w-3/4", "w-5/6", "w-2/3"];

export function LoadingState({ rows = 4 }: { rows?: number }) {
  return (
    <div role="status" aria-label="Loading" className="space-y-2.5 p-3">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className={`h-3.5 animate-pulse rounded bg-raised ${WIDTHS[row % WIDTHS.length]}`} />
      ))}
    </div>
  );
}
