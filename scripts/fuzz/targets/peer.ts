/**
 * Frames of an authenticated peer that breaks every rule it likes. The first two bytes of an input say what kind of
 * session it is; parts follow (malicious_peer.ts).
 *
 * @module
 */
import { nobleProvider } from "../../../src/crypto/noble_provider.ts";
import { nodeProvider } from "../../../src/crypto/node_provider.ts";
import { Prng } from "../../../src/testing/prng.ts";
import { MaliciousPeer } from "../malicious_peer.ts";
import { mutateBytes, spliced } from "../mutate_bytes.ts";
import { anyRecord, encodeRecords, mutateRecords } from "../mutate_records.ts";
import { joinParts, mutateParts, splitParts } from "../parts.ts";
import { oracle, type Target } from "../target.ts";

const HEAD_BYTES = 2;
const MAX_PARTS = 60;
const NODE = nodeProvider();
const NOBLE = nobleProvider();

function run(input: Uint8Array): string {
  const how = input[0] ?? 0;
  const seed = 1 + ((input[1] ?? 0) & 15);
  const parts = splitParts(input.subarray(HEAD_BYTES)).slice(0, MAX_PARTS);
  const play = (provider: typeof NODE): [string, string] => {
    const peer = new MaliciousPeer(how, seed, provider);
    for (const part of parts) peer.give(part);
    return [`${peer.end()} ${peer.told}`, peer.transcript];
  };
  const [outcome, transcript] = play(NODE);
  // The other provider is slow, so it takes part in some.
  if ((input[1] ?? 0) >= 0xf0) {
    const other = play(NOBLE);
    oracle(other[0] === outcome && other[1] === transcript, "the providers disagree");
  }
  return `${(how & 1) === 0 ? "bytes" : "datagrams"}, ${outcome}`;
}

function anyPart(prng: Prng): Uint8Array {
  switch (prng.integer(0, 11)) {
    case 0:
    case 1: {
      const kind = prng.pick([0, 0, 4, 5, 2, 6, 3]);
      const flags = prng.pick([0, 2, 4, 6, 8, 0x10, 0x41]);
      const head = [6, flags, prng.integer(0, 12), kind];
      const offset = prng.chance(0.6)
        ? [prng.integer(0, 100)]
        : [0x80 | prng.integer(0, 127), prng.integer(1, 30)];
      return Uint8Array.of(...head, ...offset, ...prng.bytes(prng.pick([0, 1, 40, 600])));
    }
    case 2:
      return Uint8Array.of(9, prng.integer(0, 9), ...prng.bytes(prng.pick([0, 10, 999, 1001])));
    case 3:
      return Uint8Array.of(10, prng.integer(0, 255), prng.integer(0, 255), 1, ...prng.bytes(20));
    case 4:
      return Uint8Array.of(11, ...prng.bytes(prng.integer(0, 60)));
    case 5:
      return Uint8Array.of(12, prng.integer(0, 255));
    case 6:
      return Uint8Array.of(prng.pick([13, 14, 14, 15]), prng.integer(0, 60), prng.integer(0, 7));
    default: {
      const records = Array.from({ length: prng.integer(1, 4) }, () => anyRecord(prng));
      // Some kinds of records cannot be written before others.
      try {
        return spliced(encodeRecords(records), 0, 0, Uint8Array.of(0));
      } catch {
        return spliced(encodeRecords(records.slice(0, 1)), 0, 0, Uint8Array.of(0));
      }
    }
  }
}

function seeds(): Uint8Array[] {
  return Array.from({ length: 96 }, (_, index) => {
    const prng = new Prng(index + 1);
    const parts = Array.from({ length: 1 + (index >> 4) * 3 }, () => anyPart(prng));
    return spliced(
      joinParts(parts),
      0,
      0,
      Uint8Array.of(index & 15, index % 24 === 0 ? 0xf0 : index),
    );
  });
}

export const peer: Target = {
  name: "peer",
  exact: false,
  maxBytes: 8000,
  seeds,
  mutate(input, other, prng) {
    const head = input.slice(0, HEAD_BYTES);
    if (prng.chance(0.05)) return spliced(input, 0, HEAD_BYTES, prng.bytes(HEAD_BYTES));
    const changed = mutateParts(input.slice(HEAD_BYTES), other.slice(HEAD_BYTES), prng, (part) => {
      if (prng.chance(0.4)) return anyPart(prng);
      if (prng.chance(0.4) || (part[0] ?? 0) > 5) return mutateBytes(part, prng);
      return spliced(mutateRecords(part.slice(1), prng), 0, 0, part.slice(0, 1));
    });
    return spliced(changed, 0, 0, head);
  },
  run,
};
