"use client";

import { type FormEvent, useState } from "react";

import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { errorText } from "@/lib/api/client";

import { useKillSwitch } from "./queries";

/** Asks for the reason, without which trading is not resumed. */
export function ResumeDialog({ stoppedBecause, onClose }: { stoppedBecause: string; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const resume = useKillSwitch();
  const given = reason.trim();

  function submit(event: FormEvent) {
    event.preventDefault();
    if (given !== "") resume.mutate({ on: false, reason: given }, { onSuccess: onClose });
  }

  return (
    <Dialog title="Resume trading" onClose={onClose}>
      <p className="mt-2 text-dim">
        It was stopped because: <span className="text-ink">{stoppedBecause || "no reason was given"}</span>. From here on, new orders are
        sent again.
      </p>
      <form onSubmit={submit} className="mt-4">
        <label className="block">
          <span className="text-dim">Why is it safe to trade again? (kept in the audit log)</span>
          <textarea
            className="mt-1 block w-full resize-y rounded-md border border-line bg-canvas px-3 py-2"
            rows={3}
            maxLength={500}
            required
            autoFocus
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </label>
        <p role="alert" className="mt-2 min-h-5 text-down">
          {resume.isError && `Trading was not resumed: ${errorText(resume.error)}.`}
        </p>
        <div className="mt-2 flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={given === "" || resume.isPending} aria-busy={resume.isPending}>
            {resume.isPending ? "Resuming…" : "Resume trading"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
