/**
 * What lies on disks sealed: headers, indexes and heads of stores, and sealed streams. The first byte of an input says
 * which; of a stream the keys are known, so that whatever is not the stream that was sealed must be refused.
 *
 * @module
 */
import { nodeProvider } from "../../../src/crypto/node_provider.ts";
import { toHex } from "../../../src/codec/hex.ts";
import { SttError } from "../../../src/errors.ts";
import {
  decodeHead,
  decodeIndex,
  encodeHead,
  encodeIndex,
} from "../../../src/sealed/chamber_index.ts";
import { parseStoreHeader, sealStoreHeader } from "../../../src/sealed/store_header.ts";
import {
  encodeSealedHeader,
  parseSealedHeader,
  type SealedStreamFacts,
  SealedStreamKeys,
} from "../../../src/sealed/stream_format.ts";
import { StreamOpener } from "../../../src/sealed/stream_opener.ts";
import { StreamSealer } from "../../../src/sealed/stream_sealer.ts";
import { mutateWith, spliced } from "../mutate_bytes.ts";
import { oracle, type Target } from "../target.ts";

const KINDS = 6;
const SECRET = new Uint8Array(32).fill(7);
const CONTENT = new Uint8Array(3000).map((_, index) => index * 7);
const EMPTY = new Uint8Array(0);

function facts(live: boolean): SealedStreamFacts {
  return { live, chunkBits: 10, salt: new Uint8Array(32).fill(9), cost: null };
}

function keysOf(live: boolean): SealedStreamKeys {
  return new SealedStreamKeys(nodeProvider(), SECRET, encodeSealedHeader(facts(live)), EMPTY);
}

/** The chunks of a whole stream. */
function chunksOf(live: boolean): Uint8Array {
  const sealer = new StreamSealer(keysOf(live), facts(live));
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < CONTENT.length; at += 700) {
    sealer.push(CONTENT.subarray(at, at + 700), (chunk) => void chunks.push(chunk));
  }
  chunks.push(sealer.end());
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}

/** Opens the chunks of a stream in two pieces. */
function openChunks(live: boolean, sealed: Uint8Array): string {
  const opener = new StreamOpener(keysOf(live), facts(live));
  let opened = 0;
  const emit = (plaintext: Uint8Array): void => {
    const same = toHex(plaintext) === toHex(CONTENT.subarray(opened, opened + plaintext.length));
    oracle(same, `other bytes at ${opened}`);
    opened += plaintext.length;
  };
  const half = sealed.length >> 1;
  opener.push(sealed.subarray(0, half), emit);
  opener.push(sealed.subarray(half), emit);
  opener.end(emit);
  oracle(opened === CONTENT.length, `${opened} of ${CONTENT.length} bytes are a whole stream`);
  return "whole";
}

function run(input: Uint8Array): string {
  const kind = (input[0] ?? 0) % KINDS;
  const bytes = input.subarray(1);
  try {
    return judge(kind, bytes);
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
    return `${kind} ${error.code}: ${error.message.replace(/".*"/s, "").replace(/\d+/g, "…")}`;
  }
}

function judge(kind: number, bytes: Uint8Array): string {
  switch (kind) {
    case 0: {
      const header = parseSealedHeader(bytes);
      if (header === undefined) return "more";
      const again = encodeSealedHeader(header);
      oracle(toHex(again) === toHex(header.bytes), "the header has two spellings");
      return `header, live ${header.live}, cost ${header.cost !== null}`;
    }
    case 1:
      return `store header, passphrase ${parseStoreHeader("chamber", bytes).kdf !== null}`;
    case 2: {
      const index = decodeIndex(bytes);
      oracle(toHex(encodeIndex(index)) === toHex(bytes), "the index has two spellings");
      return `index of ${index.size}`;
    }
    case 3: {
      const head = decodeHead(bytes);
      oracle(toHex(encodeHead(head)) === toHex(bytes), "the head has two spellings");
      return `head, ${head.changes.length} changes`;
    }
    default:
      return openChunks(kind === 5, bytes);
  }
}

function seeds(): Uint8Array[] {
  const input = (kind: number, bytes: Uint8Array): Uint8Array =>
    spliced(bytes, 0, 0, Uint8Array.of(kind));
  const entry = {
    version: 3,
    created: 1_700_000_000_000,
    modified: 1_700_000_000_001,
    size: 5,
    tag: new Uint8Array(16).fill(1),
  };
  const entries = new Map([["a", entry], ["b", { ...entry, version: 4 }]]);
  const cost = { ...facts(true), cost: { N: 2 ** 14, r: 8, p: 1 } };
  const mac = new Uint8Array(32);
  const header = (from: SealedStreamFacts): Uint8Array =>
    Uint8Array.from([...encodeSealedHeader(from), ...mac]);
  const store = (kdf: Parameters<typeof sealStoreHeader>[1]["kdf"]): Uint8Array =>
    sealStoreHeader(
      nodeProvider(),
      { kind: "chamber", id: new Uint8Array(16).fill(2), kdf, node: EMPTY },
      SECRET,
      new Uint8Array(32).fill(3),
      new Uint8Array(32).fill(4),
    );
  return [
    input(0, header(facts(false))),
    input(0, header(cost)),
    input(1, store(null)),
    input(1, store({ N: 2 ** 14, r: 8, p: 1, salt: new Uint8Array(32) })),
    input(2, encodeIndex(entries)),
    input(2, encodeIndex(new Map())),
    input(3, encodeHead({ base: 1, generation: 2, changes: [["a", entry], ["b", undefined]] })),
    input(4, chunksOf(false)),
    input(5, chunksOf(true)),
  ];
}

export const sealed: Target = {
  name: "sealed",
  exact: true,
  maxBytes: 6000,
  seeds,
  mutate(input, other, prng) {
    if (prng.chance(0.03)) return spliced(input, 0, 1, Uint8Array.of(prng.integer(0, KINDS - 1)));
    const changed = mutateWith(input.slice(1), other.slice(1), prng);
    return spliced(changed, 0, 0, input.slice(0, 1));
  },
  run,
};
