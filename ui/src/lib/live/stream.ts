/**
 * Keeps one event stream open, and says when there is none so that others poll instead.
 *
 *     connecting ──first byte──▶ live ──end, error or silence──▶ polling ──retry: first byte──▶ live
 *         └────────error────────────────────────────────────────▶ polling
 *     any ──stop() or 401──▶ stopped
 *
 * `fetch` rather than EventSource: it shows the heartbeats (a dead connection that was never closed is noticed by its silence)
 * and the status of a refusal.
 */

import { type ServerEvent, sseParser } from "./sse";

export type StreamStatus = "connecting" | "live" | "polling" | "stopped";

export interface StreamOptions {
  readonly url: string;
  readonly onEvents: (events: ServerEvent[]) => void;
  readonly onStatus: (status: StreamStatus) => void;
  readonly onUnauthorized: () => void;
  readonly fetch?: typeof fetch;
  readonly silenceMs?: number; // the server's heartbeat is every 10 s
  readonly retryMs?: readonly number[]; // the last one repeats
}

export class EventStream {
  private status: StreamStatus = "stopped";
  private controller: AbortController | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;

  constructor(private readonly options: StreamOptions) {}

  start(): void {
    if (this.status !== "stopped") return;
    this.change("connecting");
    void this.connect();
  }

  stop(): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.silenceTimer);
    this.controller?.abort();
    this.controller = null;
    this.change("stopped");
  }

  /** Connects at once instead of at the next retry. */
  retryNow(): void {
    if (this.status !== "polling" || this.controller !== null) return;
    clearTimeout(this.retryTimer);
    void this.connect();
  }

  private change(status: StreamStatus): void {
    if (status === this.status) return;
    this.status = status;
    this.options.onStatus(status);
  }

  private async connect(): Promise<void> {
    const controller = new AbortController();
    this.controller = controller;
    this.awaitByte(controller);
    try {
      const response = await (this.options.fetch ?? fetch)(this.options.url, {
        headers: { Accept: "text/event-stream" },
        credentials: "same-origin",
        cache: "no-store",
        signal: controller.signal,
      });
      if (response.status === 401) {
        this.stop();
        this.options.onUnauthorized();
        return;
      }
      if (response.ok && response.body !== null) await this.read(response.body, controller);
    } catch {
      // A refused, broken or aborted connection ends like one that the server closed: below.
    }
    if (this.controller === controller) this.lost();
  }

  private async read(body: ReadableStream<Uint8Array>, controller: AbortController): Promise<void> {
    const reader = body.getReader();
    const parse = sseParser();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.controller !== controller) return;
      this.awaitByte(controller);
      this.failures = 0;
      this.change("live");
      const events = parse(decoder.decode(value, { stream: true }));
      if (events.length > 0) this.options.onEvents(events);
    }
  }

  private awaitByte(controller: AbortController): void {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => {
      controller.abort();
      if (this.controller === controller) this.lost();
    }, this.options.silenceMs ?? 25_000);
  }

  private lost(): void {
    clearTimeout(this.silenceTimer);
    this.controller = null;
    this.change("polling");
    const delays = this.options.retryMs ?? [500, 1000, 2000, 5000];
    const delay = delays[Math.min(this.failures, delays.length - 1)] ?? 5000;
    this.failures += 1;
    this.retryTimer = setTimeout(() => void this.connect(), delay);
  }
}
