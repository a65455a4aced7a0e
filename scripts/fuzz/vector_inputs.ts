/**
 * Requests of the project's own vectors: what the fuzzer's corpus begins with.
 *
 * @module
 */
import { fromHex } from "../../src/codec/hex.ts";
import type { Request } from "../../conformance/protocol.ts";

/** One test of a vector file. */
export interface VectorTest {
  readonly id: string;
  readonly request: Request;
}

interface VectorFile {
  readonly tests: readonly VectorTest[];
}

/** Tests of `op` in vectors/`name`.json. */
export function vectorTests(name: string, op: string): VectorTest[] {
  const url = new URL(`../../vectors/${name}.json`, import.meta.url);
  const { tests } = JSON.parse(Deno.readTextFileSync(url)) as VectorFile;
  return tests.filter(({ request }) => request.op === op);
}

/** Their requests. */
export function vectorRequests(name: string, op: string): Request[] {
  return vectorTests(name, op).map(({ request }) => request);
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
