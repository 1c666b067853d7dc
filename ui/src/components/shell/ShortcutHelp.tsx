"use client";

import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { HELP_KEY, SHORTCUTS } from "@/lib/keyboard/shortcuts";
import { useView } from "@/lib/view/store";

function Key({ name }: { name: string }) {
  return <kbd className="inline-block min-w-6 rounded border border-line bg-raised px-1.5 text-center font-sans font-semibold">{name}</kbd>;
}

export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const enabled = useView((state) => state.shortcuts);
  const setShortcuts = useView((state) => state.setShortcuts);
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className={`mt-3 grid grid-cols-[auto_1fr] gap-x-3 gap-y-1.5 ${enabled ? "" : "opacity-50"}`}>
        {SHORTCUTS.map(({ key, does }) => (
          <div key={key} className="contents">
            <dt>
              <Key name={key} />
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <dl className="mt-1.5 grid grid-cols-[auto_1fr] gap-x-3 gap-y-1.5">
        <dt>
          <Key name={HELP_KEY} />
        </dt>
        <dd>this help</dd>
        <dt>
          <Key name="Esc" />
        </dt>
        <dd>close a dialog</dd>
      </dl>
      <label className="mt-4 flex items-center gap-2">
        <input type="checkbox" checked={enabled} onChange={(event) => setShortcuts(event.target.checked)} className="accent-accent" />
        Single-key shortcuts
      </label>
      <p className="mt-4 text-dim">Hover a number for its exact value, a time for UTC.</p>
      <div className="mt-4 flex justify-end">
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}
