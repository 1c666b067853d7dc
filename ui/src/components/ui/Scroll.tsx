import type { ReactNode } from "react";

/** What may be higher than its panel: scrolled by wheel, finger and, because it takes the focus, the keyboard. */
export function Scroll({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div role="group" aria-label={label} tabIndex={0} className="@container h-full overflow-auto">
      {children}
    </div>
  );
}
