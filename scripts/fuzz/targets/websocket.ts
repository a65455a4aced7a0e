/**
 * Upgrade requests to a WebSocket listener, as far as they are judged here: node:http and ws parse what is before and
 * behind. The first byte of an input chooses the listener; then come the request line and the headers, one per line.
 *
 * @module
 */
import {
  refusePlainRequest,
  refuseUpgrade,
  type UpgradeRequest,
} from "../../../src/transport/websocket_refusals.ts";
import { mutateWith, spliced } from "../mutate_bytes.ts";
import { oracle, type Target } from "../target.ts";

const PATH = "/stt";
const ALLOWED = "https://app.example";
const ORIGINS = [undefined, [ALLOWED], (origin: string) => origin === ALLOWED, []] as const;
const STATUSES = new Set([400, 403, 404, 503]);

interface Parsed extends UpgradeRequest {
  readonly headers: ReadonlyMap<string, string>;
}

function parse(text: string): Parsed {
  const [line = "", ...rest] = text.split("\n");
  const [method, target] = line.split(" ");
  const headers = new Map<string, string>();
  for (const each of rest) {
    const colon = each.indexOf(":");
    if (colon > 0) headers.set(each.slice(0, colon).toLowerCase(), each.slice(colon + 1).trim());
  }
  return { method, target, headers, header: (name) => headers.get(name) };
}

/** The same rules again, in other words. */
function acceptable({ method, target, headers }: Parsed, how: number): boolean {
  const key = headers.get("sec-websocket-key") ?? "";
  return method === "GET" && /^websocket$/i.test(headers.get("upgrade") ?? "") &&
    headers.get("sec-websocket-version") === "13" && key.length === 24 && decoded(key) === 16 &&
    (target === PATH || target?.startsWith(`${PATH}?`) === true) && fromAllowed(headers, how);
}

/** Bytes that base64 text stands for; undefined when it is none. `atob` alone lets white space pass. */
function decoded(text: string): number | undefined {
  if (/\s/.test(text)) return undefined;
  try {
    return atob(text).length;
  } catch {
    return undefined;
  }
}

function fromAllowed(headers: ReadonlyMap<string, string>, how: number): boolean {
  const origin = headers.get("origin");
  if (origin === undefined) return true;
  const rule = how >> 1 & 3;
  if (rule === 3) return false;
  if (rule === 2) return origin === ALLOWED;
  if (rule === 1) return origin.toLowerCase() === ALLOWED;
  try {
    const scheme = (how & 1) === 0 ? "http" : "https";
    return new URL(origin).host === new URL(`${scheme}://${headers.get("host") ?? ""}`).host;
  } catch {
    return false;
  }
}

function run(input: Uint8Array): string {
  const how = input[0] ?? 0;
  const request = parse(new TextDecoder().decode(input.subarray(1)));
  const full = (how & 8) !== 0;
  const scheme = (how & 1) === 0 ? "ws" : "wss";
  const origins = ORIGINS[how >> 1 & 3];
  const answer = refuseUpgrade(request, scheme, PATH, origins, full);
  const plain = refusePlainRequest(request.target, PATH);
  oracle(plain.status === 404 || plain.status === 426, `a plain request gets ${plain.status}`);
  if (answer === undefined) {
    oracle(acceptable(request, how) && !full, "it is taken, and breaks a rule");
    return "taken";
  }
  oracle(STATUSES.has(answer.status), `status ${answer.status}`);
  oracle(!acceptable(request, how) || (full && answer.status === 503), "it breaks no rule");
  const words = [answer.reason, answer.text, ...Object.entries(answer.headers ?? {}).flat()];
  oracle(words.every((word) => /^[ -~]*$/.test(word)), "the answer has more than plain text");
  return `${answer.status} ${answer.text}`;
}

function request(how: number, ...changes: [string, string | undefined][]): Uint8Array {
  const headers = new Map<string, string>([
    ["Host", "stt.example:8080"],
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
  ]);
  let line = `GET ${PATH} HTTP/1.1`;
  for (const [name, value] of changes) {
    if (name === "") line = value ?? "";
    else if (value === undefined) headers.delete(name);
    else headers.set(name, value);
  }
  const text = [line, ...[...headers].map(([name, value]) => `${name}: ${value}`)].join("\n");
  return spliced(new TextEncoder().encode(text), 0, 0, Uint8Array.of(how));
}

function seeds(): Uint8Array[] {
  return [
    ...Array.from({ length: 16 }, (_, how) => request(how)),
    ...Array.from({ length: 8 }, (_, how) => request(how, ["Origin", ALLOWED])),
    request(0, ["Origin", "http://stt.example:8080"]),
    request(0, ["Origin", "http://stt.example:80"], ["Host", "stt.example"]),
    request(1, ["Origin", "https://stt.example"], ["Host", "stt.example:443"]),
    request(0, ["Origin", "null"]),
    request(0, ["Host", undefined], ["Origin", "http://x"]),
    request(0, ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ="]),
    request(0, ["Sec-WebSocket-Version", "8"]),
    request(0, ["Upgrade", "h2c"]),
    request(0, ["", `POST ${PATH}`]),
    request(0, ["", `GET ${PATH}?token=x`]),
    request(0, ["", "GET /other"]),
    request(0, ["", "GET"]),
  ];
}

export const websocket: Target = {
  name: "websocket",
  exact: true,
  maxBytes: 1024,
  seeds,
  mutate: mutateWith,
  run,
};
