import type { Tone } from "@/components/ui/Dot";
import { isUnreachable } from "@/lib/api/client";
import { useLive } from "@/lib/live/store";
import { useLastError } from "@/lib/react/useLastError";

import { useSystem } from "./queries";

export interface Connection {
  readonly tone: Tone;
  readonly word: "Live" | "Polling" | "Offline" | "Connecting";
  readonly meaning: string;
}

/** How this page gets its data right now. */
export function useConnection(): Connection {
  const status = useLive((state) => state.status);
  const error = useLastError(useSystem());
  if (isUnreachable(error)) return { tone: "bad", word: "Offline", meaning: "The API does not answer." };
  if (status === "live") return { tone: "good", word: "Live", meaning: "Every change arrives as it happens." };
  if (status === "polling") return { tone: "warn", word: "Polling", meaning: "No event stream: asking every 2 s, and trying to connect." };
  return { tone: "idle", word: "Connecting", meaning: "Connecting the event stream." };
}
