"use client";

import { useEffect } from "react";

import { useView } from "@/lib/view/store";

import { HELP_KEY, SHORTCUTS } from "./shortcuts";

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}

/** Listens for the shortcuts; not while a person types, a dialog is open or a modifier is held. */
export function useShortcuts(onHelp: () => void): void {
  const enabled = useView((state) => state.shortcuts);
  useEffect(() => {
    function onKey(event: KeyboardEvent) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
      if (document.querySelector("dialog[open]") !== null) return;
      if (event.key === HELP_KEY) {
        event.preventDefault();
        onHelp();
        return;
      }
      const shortcut = enabled ? SHORTCUTS.find(({ key }) => key === event.key) : undefined;
      if (shortcut === undefined) return;
      event.preventDefault();
      shortcut.run();
    }
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [enabled, onHelp]);
}
