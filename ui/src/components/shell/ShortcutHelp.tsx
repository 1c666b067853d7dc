"use client";

import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { HELP_KEY, SHORTCUTS } from "@/lib/keyboard/shortcuts";
import { useView } from "@/lib/view/store";

function Row({ name, does, dimmed = false }: { name: string; does: string; dimmed?: boolean }) {
  return (
    <div className={`contents ${dimmed ? "*:opacity-50" : ""}`}>
      <dt>
        <kbd className="inline-block min-w-6 rounded border border-line bg-raised px-1.5 text-center font-sans font-semibold">{name}</kbd>
      </dt>
      <dd>{does}</dd>
    </div>
  );
}

export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const enabled = useView((state) => state.shortcuts);
  const setShortcuts = useView((state) => state.setShortcuts);
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="mt-3 grid grid-cols-[auto_1fr] gap-x-3 gap-y-1.5">
        {SHORTCUTS.map(({ key, does }) => (
          <Row key={key} name={key} does={does} dimmed={!enabled} />
        ))}
        <Row name={HELP_KEY} does="this help" />
        <Row name="Esc" does="close a dialog" />
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
