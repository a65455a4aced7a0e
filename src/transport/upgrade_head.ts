import { Buffer } from "node:buffer";

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const DEL = 127;

/** The headers that decide over an upgrade; each comes once, or the request is none of the plain ones. */
const DECIDING: ReadonlySet<string> = new Set([
  "connection",
  "host",
  "origin",
  "sec-websocket-extensions",
  "sec-websocket-key",
  "sec-websocket-protocol",
  "sec-websocket-version",
  "upgrade",
]);
/** With one of these the request has a body, or waits for leave to send one. */
const BODY: ReadonlySet<string> = new Set(["content-length", "expect", "transfer-encoding"]);

/** An upgrade request as `ws` takes it. */
export interface PlainUpgrade {
  readonly method: "GET";
  readonly url: string;
  /** Of {@link DECIDING}, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Collects a request's line and headers, however small the pieces in which they come: what a stranger sends is counted
 * before anything is made of it, and one that never completes a request costs this side its bytes.
 */
export class UpgradeHead {
  readonly #most: number;
  #bytes: Uint8Array | undefined;
  /** So far everything is part of a head. */
  #scanned = 0;
  #length = 0;

  /** @param most bytes of line and headers, the empty line included */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Takes what has arrived. `more` is to come; `whole`: the empty line was there; `large`: it does not come within the
   * limit; `odd`: no request, or not one that is easily read.
   */
  push(chunk: Uint8Array): "more" | "whole" | "large" | "odd" {
    const bytes = this.#bytes === undefined ? chunk : joined(this.#bytes, chunk);
    this.#bytes = bytes;
    const end = Math.min(bytes.length, this.#most);
    let at = this.#scanned;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte > SPACE ? byte !== DEL : byte === SPACE || byte === TAB) continue;
      if (byte === CR) {
        // Whatever follows it is looked at when it is there.
        if (at + 1 === bytes.length) break;
        if (bytes[at + 1] === LF) continue;
      } else if (byte === LF && at > 0 && bytes[at - 1] === CR) {
        if (at > 2 && bytes[at - 2] === LF) {
          this.#length = at + 1;
          return "whole";
        }
        continue;
      }
      return "odd";
    }
    this.#scanned = at;
    if (bytes.length > this.#most) return "large";
    // What is kept must not hold on to the buffer into which it was read.
    if (bytes === chunk) this.#bytes = new Uint8Array(bytes);
    return "more";
  }

  /** All that has arrived. */
  get bytes(): Uint8Array {
    return this.#bytes ?? new Uint8Array(0);
  }

  /** What came behind a whole head. */
  get rest(): Uint8Array {
    return this.bytes.subarray(this.#length);
  }

  /**
   * A whole head, when it asks for a WebSocket in the usual way. Undefined leaves the verdict to the HTTP server: this is
   * a shorter way for what every client sends, not another reading of HTTP.
   */
  read(): PlainUpgrade | undefined {
    const { buffer, byteOffset } = this.bytes;
    const text = Buffer.from(buffer, byteOffset, this.#length - 4).toString("latin1");
    const [line = "", ...fields] = text.split("\r\n");
    const url = /^GET (\/[\x21-\x7e]*) HTTP\/1\.1$/.exec(line)?.[1];
    if (url === undefined) return undefined;
    const headers: Record<string, string> = {};
    for (const field of fields) {
      const colon = field.indexOf(":");
      const name = field.slice(0, Math.max(0, colon)).toLowerCase();
      if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || BODY.has(name)) return undefined;
      if (!DECIDING.has(name)) continue;
      if (headers[name] !== undefined) return undefined;
      headers[name] = field.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    }
    const { connection, host, upgrade } = headers;
    if (host === undefined || upgrade === undefined) return undefined;
    const asked = connection?.toLowerCase().split(",").some((part) => part.trim() === "upgrade");
    return asked ? { method: "GET", url, headers } : undefined;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
