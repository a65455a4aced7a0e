/**
 * The blocks of the forwarding service (SPEC 12.11).
 *
 * @module
 */
import type { SttValue } from "../../codec/values.ts";
import { type Block, encodeServiceBlock } from "../../endpoint/service_block.ts";
import { type ErrorCode, SttError } from "../../errors.ts";
import { checkedPlace, type Place } from "./rules.ts";

/** What both sides announce. */
export const FORWARD_APP = "stt-forward/1";

/** What a stream is for: a connection to a place, one that came to a port, or a port to listen on. */
export type ForwardRequest =
  | { readonly type: "connect"; readonly place: Place }
  | { readonly type: "came"; readonly listen: number }
  | { readonly type: "listen"; readonly place: Place };

interface RefusalEntry {
  readonly wire: number;
  readonly code: ErrorCode;
  readonly text: string;
}

/** Why something was not carried; `wire` also is the code of RESET and STOP. */
export type ForwardRefusal = "denied" | "unreachable" | "busy" | "malformed" | "reset" | "bind";

/** Every refusal, with the fixed words that the peer is told. */
export const FORWARD_REFUSALS: Readonly<Record<ForwardRefusal, RefusalEntry>> = {
  denied: { wire: 0x301, code: "REFUSED", text: "the peer does not allow it" },
  unreachable: { wire: 0x302, code: "TRANSPORT", text: "the target cannot be reached" },
  busy: { wire: 0x303, code: "BUSY", text: "the peer carries as many connections as it may" },
  malformed: { wire: 0x304, code: "PROTOCOL", text: "the request is malformed" },
  reset: { wire: 0x305, code: "STREAM_RESET", text: "the connection was reset" },
  bind: { wire: 0x306, code: "TRANSPORT", text: "the peer cannot listen there" },
};

const encodeBlock = (fields: Map<string, SttValue>): Uint8Array =>
  encodeServiceBlock(fields, "forwarding block");

function placeFields({ host, port }: Place): [string, SttValue][] {
  return [["host", host], ["port", port]];
}

/** The first block of a stream. */
export function encodeRequest(request: ForwardRequest): Uint8Array {
  const fields: [string, SttValue][] = request.type === "came"
    ? [["stt", "forward"], ["listen", request.listen]]
    : [
      ["stt", request.type === "listen" ? "forward-listen" : "forward"],
      ...placeFields(request.place),
    ];
  return encodeBlock(new Map(fields));
}

function malformed(why: string): SttError {
  const { wire } = FORWARD_REFUSALS.malformed;
  return new SttError("PROTOCOL", `cannot decode forwarding block: ${why}`, { wire });
}

/** @throws {SttError} PROTOCOL */
export function decodeRequest(block: Block): ForwardRequest {
  const service = block.get("stt");
  if (service !== "forward" && service !== "forward-listen") throw malformed("another service");
  const listen = block.get("listen");
  if (service === "forward" && typeof listen === "number") return { type: "came", listen };
  const host = block.get("host");
  const port = block.get("port");
  const place = typeof host === "string" && typeof port === "number"
    ? checkedPlace(host, port)
    : undefined;
  if (place === undefined) throw malformed("no host and port");
  if (service === "forward-listen") return { type: "listen", place };
  if (place.port === 0) throw malformed("port 0");
  return { type: "connect", place };
}

/** Yes; `port`: the one that is listened on. */
export function encodeYes(port?: number): Uint8Array {
  return encodeBlock(
    new Map<string, SttValue>(port === undefined ? [["ok", true]] : [["port", port]]),
  );
}

export function encodeNo(refusal: ForwardRefusal): Uint8Array {
  const { wire, text } = FORWARD_REFUSALS[refusal];
  return encodeBlock(new Map<string, SttValue>([["error", wire], ["reason", text]]));
}

/** The port of a yes, 0 when it names none. @throws {SttError} The refusal, or PROTOCOL. */
export function decodeAnswer(block: Block): number {
  const error = block.get("error");
  if (typeof error === "number") throw refusalOf(error);
  const port = block.get("port");
  if (typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536) return port;
  if (block.get("ok") === true) return 0;
  throw malformed("neither yes nor no");
}

/** The refusal with this number as an error of this side. */
export function refusalOf(wire: number): SttError {
  const entry = Object.values(FORWARD_REFUSALS).find((row) => row.wire === wire);
  return new SttError(entry?.code ?? "REFUSED", entry?.text ?? `the peer refused, code ${wire}`, {
    wire,
    remote: true,
  });
}

/** What to tell of an error: a code of RESET or STOP says as much as an answer. */
export function plainError(error: unknown): SttError {
  if (!(error instanceof SttError)) {
    return new SttError("INTERNAL", error instanceof Error ? error.message : String(error));
  }
  const coded = error.code === "STREAM_RESET" || error.code === "STREAM_STOPPED";
  return coded && error.wire !== null ? refusalOf(error.wire) : error;
}
