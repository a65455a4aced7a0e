/**
 * The same operation by src/, over each provider, and by the twin.
 *
 * @module
 */
import { CODEC_OPS } from "../../conformance/adapter/codec_ops.ts";
import { CONTINUITY_OPS } from "../../conformance/adapter/continuity_ops.ts";
import { handshakeOps } from "../../conformance/adapter/handshake_ops.ts";
import {
  type Operation,
  RefusedOperation,
  UnsupportedOperation,
} from "../../conformance/adapter/notation.ts";
import { canonical } from "../../conformance/case.ts";
import type { Json, Request } from "../../conformance/protocol.ts";
import { twinCall } from "../../conformance/twin/ops.ts";
import { nobleProvider } from "../../src/crypto/noble_provider.ts";
import { nodeProvider } from "../../src/crypto/node_provider.ts";
import { SttError } from "../../src/errors.ts";
import { Finding } from "./target.ts";

type Operations = Readonly<Record<string, Operation>>;
type Answer = { readonly ok: unknown } | { readonly error: string };

const NODE: Operations = {
  ...CODEC_OPS,
  ...CONTINUITY_OPS,
  ...handshakeOps(nodeProvider()),
};
const NOBLE: Operations = handshakeOps(nobleProvider());

/** Undefined when the adapter cannot do what the request asks for. */
function call(operations: Operations, request: Request): Answer | undefined {
  const operation = operations[request.op];
  if (operation === undefined) throw new Error(`no operation ${request.op}`);
  try {
    return { ok: operation(request) };
  } catch (error) {
    if (error instanceof UnsupportedOperation) return undefined;
    if (error instanceof RefusedOperation) return { error: error.code };
    // INTERNAL is what a caller did wrong, never what came from outside.
    if (error instanceof SttError && error.code !== "INTERNAL") return { error: error.code };
    throw error;
  }
}

/** The answer of src/ alone. */
export function answerOfSrc(request: Request): Answer {
  return call(NODE, request) ?? { error: "unsupported" };
}

/** The answer of src/, once the twin and, where cryptography takes part, the other provider agree. */
export function agreed(request: Request, alsoNoble: boolean = false): Answer {
  const mine = call(NODE, request);
  if (mine === undefined) return { error: "unsupported" };
  compare("the twin", request, mine, twinCall(request));
  if (alsoNoble) {
    const noble = call(NOBLE, request);
    if (noble !== undefined) compare("the noble provider", request, mine, noble);
  }
  return mine;
}

function compare(who: string, request: Request, mine: Answer, theirs: Answer): void {
  const [one, other] = [canonical(plain(mine)), canonical(plain(theirs))];
  if (one === other) return;
  throw new Finding(
    `${who} disagrees about ${request.op}\n  src: ${one}\n  ${who}: ${other}\n  ${
      JSON.stringify(request)
    }`,
  );
}

/** As it goes over a wire: what JSON leaves out is left out. */
function plain(answer: Answer): Json {
  return JSON.parse(JSON.stringify(answer)) as Json;
}

/** The code of a refusal, or "ok". */
export function verdict(answer: Answer): string {
  return "error" in answer ? answer.error : "ok";
}
