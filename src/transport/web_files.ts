/**
 * The files that a WebSocket listener hands to browsers on its own port, and the answers to requests that ask for no
 * upgrade.
 *
 * @module
 */
import { type Refusal, refusePlainRequest } from "./websocket_refusals.ts";

/** A file for browsers. */
export interface WebFile {
  /** Media type, such as `text/html; charset=utf-8`. */
  readonly type: string;
  /** What is sent. It must not change afterwards. */
  readonly body: Uint8Array;
  /** The same compressed by gzip, for those who take it. */
  readonly gzip?: Uint8Array;
}

/** A plain request, as far as it counts. */
export interface PlainRequest {
  readonly method: string | undefined;
  /** Path and query as requested. */
  readonly target: string | undefined;
  readonly acceptEncoding: string | undefined;
}

/** An answer without an upgrade. The connection ends with it. */
export interface PlainAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty for HEAD, whatever the length says. */
  readonly body: Uint8Array;
}

/**
 * Scripts, styles and connections of this origin and nothing else: no inline code, no frames around it, no forms. What the
 * page tells nobody is where it is, and what it is opened by gets no hold of it.
 */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

const EMPTY: Uint8Array = new Uint8Array(0);

function textAnswer({ status, reason, text, headers }: Refusal, head: boolean): PlainAnswer {
  const body = new TextEncoder().encode(text);
  return {
    status,
    reason,
    headers: {
      ...headers,
      "Content-Type": "text/plain",
      "Content-Length": String(body.length),
      Connection: "close",
    },
    body: head ? EMPTY : body,
  };
}

/** `gzip` in a list that does not give it the weight 0 (RFC 9110, 12.5.3). */
function takesGzip(acceptEncoding: string | undefined): boolean {
  return (acceptEncoding ?? "").split(",").some((entry) => {
    const [name = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
    return name === "gzip" && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
}

/**
 * The answer to a request that asks for no upgrade.
 *
 * @param files By path; the one under the listener's own path is the page. Absent: nothing is served.
 * @param path The listener's own path.
 */
export function answerPlainRequest(
  { method, target, acceptEncoding }: PlainRequest,
  files: ReadonlyMap<string, WebFile> | undefined,
  path: string,
): PlainAnswer {
  const head = method === "HEAD";
  const file = files?.get(target?.split("?", 1)[0] ?? "");
  if (file === undefined) return textAnswer(refusePlainRequest(target, path), head);
  if (!head && method !== "GET") {
    return textAnswer({
      status: 405,
      reason: "Method Not Allowed",
      text: "only GET and HEAD are answered here",
      headers: { Allow: "GET, HEAD" },
    }, head);
  }
  const compressed = takesGzip(acceptEncoding) ? file.gzip : undefined;
  const body = compressed ?? file.body;
  return {
    status: 200,
    reason: "OK",
    headers: {
      ...SECURITY_HEADERS,
      "Content-Type": file.type,
      "Content-Length": String(body.length),
      ...(compressed === undefined ? {} : { "Content-Encoding": "gzip" }),
      Vary: "Accept-Encoding",
      // The next version of the listener has another page under the same name.
      "Cache-Control": "no-cache",
      Connection: "close",
    },
    body: head ? EMPTY : body,
  };
}
