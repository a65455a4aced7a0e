/**
 * Which ports are carried where, and what a listener allows. Pure.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { parseAddress } from "../../transport/address.ts";
import { UsageError } from "../exit_codes.ts";

const LOOPBACK = "127.0.0.1";
const ALL = "0.0.0.0";

/** A TCP address. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** A port to listen on, and where its connections go. */
export interface Forward {
  readonly listen: Place;
  readonly target: Place;
}

/** `host:port`, IPv6 in brackets. */
export function placeText({ host, port }: Place): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Refuses what is no host. Undefined for what is none. */
export function checkedPlace(host: string, port: number): Place | undefined {
  try {
    const address = parseAddress(`tcp://${placeText({ host, port })}`);
    return { host: address.host, port: address.port };
  } catch (error) {
    if (error instanceof SttError) return undefined;
    throw error;
  }
}

/** Of what is no IPv6 address in them, nothing is left. */
function withoutBrackets(host: string): string {
  if (!host.startsWith("[")) return host;
  return host.includes(":") ? host.slice(1, -1) : "";
}

/** The `[bind:]port:host:hostport` of `-L` and `-R`. @throws {UsageError} */
export function parseForward(text: string): Forward {
  const match = /^(?:(\[[^\]]*\]|[^:[\]]*):)?(\d+):(\[[^\]]*\]|[^:[\]]+):(\d+)$/.exec(text);
  const [, bind = LOOPBACK, port = "", host = "", hostPort = ""] = match ?? [];
  const at = bind === "" || bind === "*" ? ALL : withoutBrackets(bind);
  const listen = checkedPlace(at, Number(port));
  const target = checkedPlace(withoutBrackets(host), Number(hostPort));
  if (match === null || listen === undefined || target === undefined || target.port === 0) {
    const quoted = JSON.stringify(text.slice(0, 200));
    throw new UsageError(
      `cannot forward ${quoted}: not of the form [BIND:]PORT:HOST:PORT`,
      "forward",
    );
  }
  return { listen, target };
}

interface Pattern {
  readonly host: string;
  readonly from: number;
  readonly to: number;
}

/** Places that a listener allows; nothing without a pattern. */
export class AllowList {
  readonly #patterns: readonly Pattern[];

  /**
   * @param texts Lists of `HOST:PORT` with commas between them. HOST: a name or address, `*.` before a domain, or `*`
   *   alone. PORT: a number, `FROM-TO`, or `*`.
   * @param defaultHost For patterns that are a port alone; without it those are refused.
   * @throws {UsageError}
   */
  constructor(texts: readonly string[], defaultHost?: string) {
    this.#patterns = texts.flatMap((text) => text.split(",")).map((item) =>
      parsePattern(item.trim(), defaultHost)
    );
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /** Names are compared as they were written: `localhost` is not `127.0.0.1`. */
  allows({ host, port }: Place): boolean {
    const name = host.toLowerCase();
    return this.#patterns.some((pattern) =>
      port >= pattern.from && port <= pattern.to && hostMatches(pattern.host, name)
    );
  }
}

function hostMatches(pattern: string, host: string): boolean {
  if (pattern === "*") return true;
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : pattern === host;
}

function parsePattern(text: string, defaultHost: string | undefined): Pattern {
  const bare = defaultHost === undefined || text.includes(":") ? text : `${defaultHost}:${text}`;
  const match = /^(\[[^\]]*\]|[^:[\]]+):(\*|\d+(?:-\d+)?)$/.exec(bare);
  const host = withoutBrackets(match?.[1] ?? "").toLowerCase();
  const ports = match?.[2] ?? "";
  const [from = 0, to = from] = ports === "*" ? [0, 65_535] : ports.split("-").map(Number);
  // What stands for the star must not matter for whether the rest is a host.
  const sample = checkedPlace(host === "*" ? "any" : host.replace(/^\*\./, "any."), 1);
  if (match === null || host === "*." || sample === undefined || from > to || to > 65_535) {
    const quoted = JSON.stringify(text.slice(0, 200));
    throw new UsageError(`cannot allow ${quoted}: not of the form HOST:PORT`);
  }
  return { host: host.startsWith("*") ? host : sample.host, from, to };
}
