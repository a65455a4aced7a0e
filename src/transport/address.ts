/**
 * Addresses of the form `ws://host:port/path`, `wss://…`, `tcp://host:port`, `udp://host:port` and `mem:name`.
 *
 * @module
 */
import { isIPv4, isIPv6 } from "./ip_text.ts";
import { SttError } from "../errors.ts";

/** Schemes that addresses may have. */
export type AddressScheme = "ws" | "wss" | "tcp" | "udp" | "mem";

/** A parsed address. */
export interface Address {
  readonly scheme: AddressScheme;
  /** Host name or IP address without brackets; the name of a `mem:` address. */
  readonly host: string;
  /** 0 to 65535; 0 lets a listener choose. Always 0 for `mem:`. */
  readonly port: number;
  /** Path with its query, `/` when the address has none; empty for `tcp:`, `udp:` and `mem:`. */
  readonly path: string;
  /** The address in its normal form. */
  readonly text: string;
}

interface SchemeRules {
  readonly defaultPort: number | undefined;
  readonly path: boolean;
  readonly zone: boolean;
}

const SCHEMES: Readonly<Record<Exclude<AddressScheme, "mem">, SchemeRules>> = {
  ws: { defaultPort: 80, path: true, zone: false },
  wss: { defaultPort: 443, path: true, zone: false },
  tcp: { defaultPort: undefined, path: false, zone: true },
  udp: { defaultPort: undefined, path: false, zone: true },
};

const MAX_ADDRESS_LENGTH = 2048;
const MAX_HOST_LENGTH = 253;
const MEMORY_NAME = /^[A-Za-z0-9._-]{1,64}$/;
const HOST_LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/i;
const PATH = /^\/[\x21\x22\x24-\x7e]*$/;

/**
 * Parses an address.
 *
 * Rules: `ws` and `wss` may leave the port out (80, 443) and may have a path and a query; `tcp` and `udp` need a port
 * and have no path; an IPv6 address stands in brackets; user names, passwords and fragments are refused; port 0 is for
 * listeners only, which is checked where one dials.
 *
 * @throws {SttError} ADDRESS, naming the text and the rule that it breaks.
 */
export function parseAddress(text: string): Address {
  const refuse = (rule: string): SttError =>
    new SttError("ADDRESS", `cannot parse address ${quoted(text)}: ${rule}`);
  if (typeof text !== "string") throw refuse("it is not a string");
  if (text.length > MAX_ADDRESS_LENGTH) {
    throw refuse(`${text.length} characters exceed the limit of ${MAX_ADDRESS_LENGTH}`);
  }
  const colon = text.indexOf(":");
  if (colon <= 0) throw refuse("it does not start with a scheme (ws:, wss:, tcp:, udp: or mem:)");
  const scheme = text.slice(0, colon).toLowerCase();
  const rest = text.slice(colon + 1);
  if (scheme === "mem") return memoryAddress(rest, refuse);
  if (!isNetworkScheme(scheme)) {
    // Before the colon may stand a name whose scheme was forgotten.
    const shown = quoted(text.includes("@") ? "…" : scheme);
    throw refuse(`unknown scheme ${shown}; known are ws, wss, tcp, udp and mem`);
  }
  if (!rest.startsWith("//")) throw refuse(`"${scheme}:" must be followed by "//"`);
  const pathStart = rest.slice(2).search(/[/?#]/);
  const authority = pathStart < 0 ? rest.slice(2) : rest.slice(2, 2 + pathStart);
  const tail = pathStart < 0 ? "" : rest.slice(2 + pathStart);
  const rules = SCHEMES[scheme];
  const { host, portText } = splitAuthority(authority, scheme, refuse);
  checkHost(host, authority.startsWith("["), rules, refuse);
  const port = parsePort(portText, scheme, rules, refuse);
  const path = parsePath(tail, scheme, rules, refuse);
  const normalHost = isIPv6(host) ? host : host.toLowerCase();
  return {
    scheme,
    host: normalHost,
    port,
    path,
    text: formatAddress({ scheme, host: normalHost, port, path }),
  };
}

/** Writes an address in its normal form: the port always, IPv6 in brackets. */
export function formatAddress(
  parts: { scheme: string; host: string; port?: number; path?: string },
): string {
  if (parts.scheme === "mem") return `mem:${parts.host}`;
  const host = parts.host.includes(":") ? `[${parts.host}]` : parts.host;
  // Joined: engines keep a template's result as a tree of its parts, and sessions keep addresses for as long as they live.
  return [parts.scheme, "://", host, ":", parts.port ?? 0, parts.path ?? ""].join("");
}

/** An address for messages and logs: without the query, which may carry a token. */
export function printableAddress(address: Address): string {
  const query = address.text.indexOf("?");
  return query < 0 ? address.text : address.text.slice(0, query);
}

/**
 * The IP address that rate limits count by: IPv4 addresses that a dual-stack socket reports as `::ffff:a.b.c.d` come
 * back as `a.b.c.d`, so that one host is not two.
 */
export function plainHost(host: string | undefined): string {
  if (host === undefined || host === "") return "unknown";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host);
  return mapped?.[1] ?? host;
}

type Refuse = (rule: string) => SttError;

function isNetworkScheme(scheme: string): scheme is Exclude<AddressScheme, "mem"> {
  return Object.hasOwn(SCHEMES, scheme);
}

function quoted(text: unknown): string {
  // A refused address may be one with a password in it, and messages end up in logs. Cut first, the @ would be missed.
  const whole = String(text);
  const at = whole.lastIndexOf("@");
  const start = /^[a-z]+:\/\//i.exec(whole)?.[0] ?? "";
  const plain = at < 0 ? whole : `${start}…${whole.slice(at)}`;
  const shown = plain.replace(/\?.*$/s, "?…");
  return JSON.stringify(shown.slice(0, 200));
}

function memoryAddress(name: string, refuse: Refuse): Address {
  if (!MEMORY_NAME.test(name)) {
    throw refuse(
      "the name after mem: must be 1 to 64 letters, digits, dots, dashes or underscores",
    );
  }
  return { scheme: "mem", host: name, port: 0, path: "", text: `mem:${name}` };
}

function splitAuthority(
  authority: string,
  scheme: string,
  refuse: Refuse,
): { host: string; portText: string | undefined } {
  if (authority.includes("@")) throw refuse("user names and passwords have no place in an address");
  if (authority.startsWith("[")) {
    const end = authority.indexOf("]");
    if (end < 0) throw refuse("the bracket before the IPv6 address is not closed");
    const after = authority.slice(end + 1);
    if (after !== "" && !after.startsWith(":")) {
      throw refuse('only ":port" may follow the closing bracket');
    }
    return { host: authority.slice(1, end), portText: after === "" ? undefined : after.slice(1) };
  }
  const colon = authority.indexOf(":");
  if (colon < 0) return { host: authority, portText: undefined };
  if (authority.indexOf(":", colon + 1) >= 0) {
    throw refuse(`an IPv6 address stands in brackets, as in ${scheme}://[::1]:9000`);
  }
  return { host: authority.slice(0, colon), portText: authority.slice(colon + 1) };
}

function checkHost(host: string, bracketed: boolean, rules: SchemeRules, refuse: Refuse): void {
  if (host === "") throw refuse("the host is missing");
  if (bracketed) {
    if (!isIPv6(host)) throw refuse("the text in brackets is not an IPv6 address");
    if (host.includes("%") && !rules.zone) throw refuse("a WebSocket address cannot have a zone");
    return;
  }
  if (host.length > MAX_HOST_LENGTH) {
    throw refuse(`the host has ${host.length} characters; the limit is ${MAX_HOST_LENGTH}`);
  }
  if (/^[\d.]+$/.test(host)) {
    if (!isIPv4(host)) throw refuse("the host is not a valid IPv4 address");
    return;
  }
  const labels = (host.endsWith(".") ? host.slice(0, -1) : host).split(".");
  if (!labels.every((label) => HOST_LABEL.test(label))) {
    throw refuse("the host is neither an IP address nor a host name");
  }
  // Other parsers take such names for IPv4 addresses in odd spellings: 0x7f000001, 127.0.0.0x1.
  if (NUMBER.test(labels.at(-1) ?? "")) throw refuse("a host name does not end in a number");
}

function parsePort(
  portText: string | undefined,
  scheme: string,
  rules: SchemeRules,
  refuse: Refuse,
): number {
  if (portText === undefined) {
    if (rules.defaultPort === undefined) throw refuse(`${scheme} needs a port, as in host:9000`);
    return rules.defaultPort;
  }
  if (!/^\d{1,5}$/.test(portText) || Number(portText) > 65_535) {
    throw refuse("the port must be a number from 0 to 65535");
  }
  return Number(portText);
}

function parsePath(tail: string, scheme: string, rules: SchemeRules, refuse: Refuse): string {
  if (!rules.path) {
    if (tail !== "") throw refuse(`a ${scheme} address has no path`);
    return "";
  }
  const path = tail === "" ? "/" : tail.startsWith("?") ? `/${tail}` : tail;
  if (path.includes("#")) throw refuse("an address has no fragment (#)");
  if (!PATH.test(path)) {
    throw refuse("the path holds characters that must be percent-encoded");
  }
  return path;
}
