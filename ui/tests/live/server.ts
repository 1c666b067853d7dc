/** A stand-in for the server's end of event streams: each request waits until the test opens, refuses or breaks it. */

interface Connection {
  open: (status?: number) => void;
  fail: () => void;
  send: (text: string) => void;
  close: () => void;
  readonly aborted: boolean;
}

export function streamServer() {
  const connections: Connection[] = [];

  const fetch = ((_url: string, init?: RequestInit) =>
    new Promise<Response>((resolve, reject) => {
      let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
      const body = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
      init?.signal?.addEventListener("abort", () => {
        reject(new DOMException("aborted", "AbortError"));
        try {
          controller?.error(new DOMException("aborted", "AbortError"));
        } catch {
          // the server had closed it before
        }
      });
      connections.push({
        open: (status = 200) => resolve(new Response(body, { status })),
        fail: () => reject(new TypeError("connection refused")),
        send: (text) => controller?.enqueue(new TextEncoder().encode(text)),
        close: () => controller?.close(),
        get aborted() {
          return init?.signal?.aborted ?? false;
        },
      });
    })) as typeof globalThis.fetch;

  return { fetch, connections, latest: () => connections.at(-1) as Connection };
}
