/**
 * Requests of the project's own vectors: what the fuzzer's corpus begins with.
 *
 * @module
 */
import { fromHex } from "../../src/codec/hex.ts";
import type { Request } from "../../conformance/protocol.ts";

interface VectorFile {
  readonly tests: readonly { readonly request: Request }[];
}

/** Requests for `op` in vectors/`name`.json. */
export function vectorRequests(name: string, op: string): Request[] {
  const url = new URL(`../../vectors/${name}.json`, import.meta.url);
  const { tests } = JSON.parse(Deno.readTextFileSync(url)) as VectorFile;
  return tests.map(({ request }) => request).filter((request) => request.op === op);
}

/** One field of those requests as bytes, no longer than `maxBytes`. */
export function vectorBytes(
  name: string,
  op: string,
  field: string,
  maxBytes: number,
): Uint8Array[] {
  return vectorRequests(name, op).map((request) => request[field])
    .filter((text): text is string => typeof text === "string" && text.length <= 2 * maxBytes)
    .map((text) => fromHex(text));
}
