/** One table: what the keys do and what the help says. */

import { useView } from "@/lib/view/store";

export interface Shortcut {
  readonly key: string;
  readonly does: string;
  readonly run: () => void;
}

function focus(id: string): () => void {
  return () => {
    const element = document.getElementById(id);
    element?.scrollIntoView({ block: "nearest" });
    element?.focus({ preventScroll: true });
  };
}

function scrollTo(id: string): () => void {
  return () => {
    const element = document.getElementById(id);
    element?.scrollIntoView({ block: "start" });
    element?.focus({ preventScroll: true });
  };
}

export const HELP_KEY = "?";

/** Nothing here trades or stops anything by itself: `k` only moves the focus to the switch. */
export const SHORTCUTS: readonly Shortcut[] = [
  { key: "k", does: "focus the kill switch (Enter then presses it)", run: focus("kill-switch") },
  { key: "c", does: "price chart", run: scrollTo("price") },
  { key: "e", does: "equity and drawdown", run: scrollTo("equity") },
  { key: "p", does: "positions", run: scrollTo("positions") },
  { key: "o", does: "open orders", run: scrollTo("orders") },
  { key: "f", does: "fills", run: scrollTo("fills") },
  { key: "x", does: "refused orders", run: scrollTo("refusals") },
  { key: "r", does: "risk: gates and limits", run: scrollTo("risk") },
  { key: "s", does: "system", run: scrollTo("system") },
  { key: "t", does: "light or dark", run: () => useView.getState().toggleTheme() },
];
