import { cx } from "./cx";

export type Tone = "good" | "warn" | "bad" | "idle";

const TONES: Record<Tone, string> = { good: "bg-up", warn: "bg-warn", bad: "bg-stop-strong", idle: "bg-dim" };

/** A mark beside a word that says the same. */
export function Dot({ tone }: { tone: Tone }) {
  return (
    <span
      aria-hidden="true"
      className={cx("inline-block size-2 shrink-0", tone === "good" ? "rounded-full" : tone === "warn" ? "rotate-45" : "", TONES[tone])}
    />
  );
}
