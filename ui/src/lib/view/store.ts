/** What the person chose for this browser. */

import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Theme = "dark" | "light";

interface ViewState {
  readonly theme: Theme;
  /** Single-key shortcuts can get in the way of speech input, so they can be switched off. */
  readonly shortcuts: boolean;
  toggleTheme: () => void;
  setShortcuts: (on: boolean) => void;
}

export const useView = create<ViewState>()(
  persist(
    (set) => ({
      theme: "dark",
      shortcuts: true,
      toggleTheme: () => set(({ theme }) => ({ theme: theme === "dark" ? "light" : "dark" })),
      setShortcuts: (shortcuts) => set({ shortcuts }),
    }),
    { name: "traider.view", skipHydration: true },
  ),
);
