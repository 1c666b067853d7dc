"use client";

import { type ReactNode, useId } from "react";

import { errorText } from "@/lib/api/client";

import { cx } from "./cx";
import { ErrorBoundary } from "./ErrorBoundary";
import { Time } from "./Time";

/** What of a query a panel's frame shows. */
export interface Freshness {
  readonly isError: boolean;
  readonly error: unknown;
  readonly data: unknown;
  readonly dataUpdatedAt: number;
}

interface PanelProps {
  /** Also the target of the panel's shortcut. */
  id: string;
  title: string;
  count?: number;
  aside?: ReactNode;
  fresh?: Freshness;
  className?: string;
  children: ReactNode;
}

function StaleMark({ fresh }: { fresh: Freshness }) {
  if (!fresh.isError || fresh.data === undefined) return null;
  return (
    <span className="shrink-0 rounded bg-warn/15 px-1.5 text-2xs font-medium whitespace-nowrap text-warn" title={errorText(fresh.error)}>
      old: from <Time tsMs={fresh.dataUpdatedAt} />
    </span>
  );
}

/** A framed part of the page that fails alone. */
export function Panel({ id, title, count, aside, fresh, className, children }: PanelProps) {
  const titleId = useId();
  const stale = fresh !== undefined && fresh.isError && fresh.data !== undefined;
  return (
    <section
      id={id}
      tabIndex={-1}
      aria-labelledby={titleId}
      data-stale={stale || undefined}
      className={cx("flex min-h-0 min-w-0 flex-col rounded-lg border border-line bg-panel focus:outline-2 focus:outline-accent", className)}
    >
      <header className="flex min-h-9 shrink-0 items-center gap-2 border-b border-line px-3">
        <h2 id={titleId} className="text-xs font-semibold tracking-wide whitespace-nowrap text-dim">
          {title}
        </h2>
        {count !== undefined && count > 0 && <span className="rounded bg-raised px-1.5 text-2xs text-dim">{count}</span>}
        {fresh !== undefined && <StaleMark fresh={fresh} />}
        {aside !== undefined && <div className="ml-auto flex min-w-0 items-center gap-2 truncate text-2xs text-dim">{aside}</div>}
      </header>
      <div className={cx("min-h-0 flex-1", stale && "opacity-60")}>
        <ErrorBoundary what={title}>{children}</ErrorBoundary>
      </div>
    </section>
  );
}
