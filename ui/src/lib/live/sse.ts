/** Server-Sent Events, parsed from whatever pieces the network delivers. */

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/**
 * Returns a function that takes the next piece of the stream and gives the events it completes.
 * Comments (the server's heartbeats) give none; that a piece came at all is what tells that the stream lives.
 */
export function sseParser(): (piece: string) => ServerEvent[] {
  let rest = "";
  let event = "";
  let data: string[] = [];

  function line(text: string, out: ServerEvent[]): void {
    if (text === "") {
      if (data.length > 0) out.push({ event: event === "" ? "message" : event, data: data.join("\n") });
      event = "";
      data = [];
      return;
    }
    const colon = text.indexOf(":");
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
  }

  return (piece) => {
    const out: ServerEvent[] = [];
    const text = rest + piece;
    // A carriage return at the very end may be half of a CRLF: it waits for the next piece.
    const complete = text.endsWith("\r") ? text.slice(0, -1) : text;
    const lines = complete.split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? "") + text.slice(complete.length);
    for (const each of lines) line(each, out);
    return out;
  };
}
