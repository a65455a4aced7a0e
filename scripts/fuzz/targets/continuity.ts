/**
 * What goes on from session to session (SPEC 15.3, 15.4), beside the twin: blocks, stored state, and senders that are
 * told anything. The first byte of an input says which.
 *
 * @module
 */
import type { Json, JsonObject } from "../../../conformance/protocol.ts";
import { decodeVarint, encodeVarint } from "../../../src/codec/varint.ts";
import { fromHex, toHex } from "../../../src/codec/hex.ts";
import { agreed, verdict } from "../differential.ts";
import { mutateWith } from "../mutate_bytes.ts";
import { mutateEncodedValue } from "../mutate_values.ts";
import type { Target } from "../target.ts";
import { vectorRequests } from "../vector_inputs.ts";

const KINDS = ["greeting", "opening", "answer", "control"] as const;
const STORED = KINDS.length;
const SENDER = STORED + 1;
const MAX_EVENTS = 40;

/** Three bytes an event: what happens to a sender. */
function eventOf(what: number, a: number, b: number): JsonObject {
  switch (what % 8) {
    case 0:
    case 1:
      return { write: toHex(new Uint8Array(a % 24).fill(b)) };
    case 2:
      return { end: true };
    case 3:
      return { attach: { received: a % 48, confirmed: b % 48, ended: (what & 0x40) !== 0 } };
    case 4:
      return { detach: true };
    case 5:
      return { confirm: [a % 48, (b & 1) !== 0] };
    default:
      return { take: 1 + a % 24 };
  }
}

function runSender(bytes: Uint8Array): string {
  const events: Json[] = [];
  for (let at = 1; at + 2 < bytes.length && events.length < MAX_EVENTS; at += 3) {
    events.push(eventOf(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!));
  }
  const answer = agreed({ op: "continuity.sender", lost: (bytes[0]! & 1) !== 0, events });
  if ("error" in answer) return answer.error;
  const { results } = answer.ok as { results: { result: string; verdict?: string; sent?: Json }[] };
  const bad = results.find(({ result }) => result === "failed");
  const ends = results.filter(({ sent }) => sent === "end").length;
  return `sender ${bad?.verdict ?? "ok"} ${Math.min(ends, 3)}`;
}

function run(input: Uint8Array): string {
  const which = (input[0] ?? 0) % (SENDER + 1);
  const rest = input.subarray(1);
  if (which === SENDER) return rest.length === 0 ? "sender" : runSender(rest);
  const hex = toHex(rest);
  if (which === STORED) return `stored ${verdict(agreed({ op: "continuity.stored", hex }))}`;
  const kind = KINDS[which]!;
  const answer = agreed({ op: "continuity.read", kind, hex });
  if ("error" in answer) return `${kind} ${answer.error}`;
  const { block } = answer.ok as { readonly block: JsonObject };
  // What was understood can be said again.
  if (block.type !== "unknown") agreed({ op: "continuity.write", kind, block });
  return `${kind} ${block.type ?? "ok"}`;
}

function seeds(): Uint8Array[] {
  const found = vectorRequests("continuity", "continuity.read").map(({ kind, hex }) =>
    Uint8Array.of(KINDS.indexOf(kind as typeof KINDS[number]), ...fromHex(hex as string))
  );
  const stored = vectorRequests("continuity", "continuity.stored").map(({ hex }) =>
    Uint8Array.of(STORED, ...fromHex(hex as string))
  );
  const senders = [0, 1].map((lost) =>
    Uint8Array.of(SENDER, lost, 3, 0, 0, 0, 9, 1, 6, 9, 0, 4, 0, 0, 3, 5, 2, 0, 9, 2, 6, 20, 0)
  );
  return [...found, ...stored, ...senders];
}

export const continuity: Target = {
  name: "continuity",
  exact: true,
  maxBytes: 5000,
  seeds,
  mutate: (input, other, prng) => {
    const which = (input[0] ?? 0) % (SENDER + 1);
    if (which === SENDER || prng.chance(0.3)) return mutateWith(input, other, prng);
    if (which === STORED) return Uint8Array.of(which, ...mutateEncodedValue(input.slice(1), prng));
    let size = 0;
    try {
      size = decodeVarint(input.subarray(1, 3)).size;
    } catch {
      return mutateWith(input, other, prng);
    }
    const value = mutateEncodedValue(input.slice(1 + size), prng);
    return Uint8Array.of(which, ...encodeVarint(value.length), ...value);
  },
  run,
};
