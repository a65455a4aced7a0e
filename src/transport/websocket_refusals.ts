/**
 * What WebSocket listeners and connections refuse, and in which words; the same for every implementation below them.
 *
 * @module
 */
import { SttError } from "../errors.ts";
import type { ListenTransportOptions } from "./transport.ts";

/** SPEC 4: a message is binary and holds whole frames; text ends the connection. */
export function textMessage(remoteAddress: string): SttError {
  return new SttError(
    "PROTOCOL",
    `connection ${remoteAddress}: a text message arrived; messages must be binary`,
  );
}

/** A message above the receiver's limit. */
export function messageTooLarge(remoteAddress: string, limit: number): SttError {
  return new SttError(
    "FRAME_ENCODING",
    `connection ${remoteAddress}: a message exceeds the limit of ${limit} bytes`,
    { limit },
  );
}

/** The parts of an upgrade request that decide whether it is taken. */
export interface UpgradeRequest {
  readonly method: string | undefined;
  /** Path and query as requested. */
  readonly target: string | undefined;
  header(name: string): string | undefined;
}

/** An HTTP answer that is not a WebSocket. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function refusal(status: number, reason: string, text: string): Refusal {
  return { status, reason, text };
}

/** The answer to a request that asks for no upgrade: 426 on the listener's path, 404 elsewhere. */
export function refusePlainRequest(target: string | undefined, path: string): Refusal {
  if (pathOf(target) !== path) return refusal(404, "Not Found", "nothing is served here");
  return {
    ...refusal(426, "Upgrade Required", "this address takes WebSocket connections only"),
    headers: { Upgrade: "websocket" },
  };
}

/** Why an upgrade request is refused; undefined when it is taken. */
export function refuseUpgrade(
  request: UpgradeRequest,
  scheme: "ws" | "wss",
  path: string,
  origins: ListenTransportOptions["origins"],
  full: boolean,
): Refusal | undefined {
  if (request.method !== "GET") return refusal(400, "Bad Request", "an upgrade must be a GET");
  if (request.header("upgrade")?.toLowerCase() !== "websocket") {
    return refusal(400, "Bad Request", "the only upgrade here is websocket");
  }
  if (request.header("sec-websocket-version") !== "13") {
    return {
      ...refusal(400, "Bad Request", "the WebSocket version must be 13"),
      headers: { "Sec-WebSocket-Version": "13" },
    };
  }
  if (!/^[A-Za-z0-9+/]{22}==$/.test(request.header("sec-websocket-key") ?? "")) {
    return refusal(400, "Bad Request", "Sec-WebSocket-Key is missing or malformed");
  }
  if (pathOf(request.target) !== path) {
    return refusal(404, "Not Found", "nothing is served here");
  }
  const origin = request.header("origin");
  if (origin !== undefined && !originAllowed(origin, request.header("host"), scheme, origins)) {
    return refusal(403, "Forbidden", "this origin may not connect");
  }
  if (full) return refusal(503, "Service Unavailable", "too many connections; try later");
  return undefined;
}

function pathOf(target: string | undefined): string | undefined {
  return target?.split("?", 1)[0];
}

/**
 * Only browsers send an Origin, and they do not apply the same-origin rule to WebSockets: without this check any page
 * that a user visits could talk to a listener on the user's machine.
 */
function originAllowed(
  origin: string,
  host: string | undefined,
  scheme: "ws" | "wss",
  origins: ListenTransportOptions["origins"],
): boolean {
  if (typeof origins === "function") return origins(origin);
  if (origins !== undefined) {
    return origins.some((allowed) => allowed.toLowerCase() === origin.toLowerCase());
  }
  const pageHost = hostOf(origin);
  const ownHost = hostOf(`${scheme === "wss" ? "https" : "http"}://${host ?? ""}`);
  return pageHost !== undefined && pageHost === ownHost;
}

/** Host and port, the port left out when it is the scheme's own. */
function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined;
}
