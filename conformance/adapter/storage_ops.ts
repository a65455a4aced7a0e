/** Operations on data at rest over `src/sealed`. @module */
import { fromHex, toHex } from "../../src/codec/mod.ts";
import type { CryptoProvider } from "../../src/crypto/mod.ts";
import { SttError } from "../../src/errors.ts";
import { ChamberCipher } from "../../src/sealed/chamber_cipher.ts";
import type { IndexChange } from "../../src/sealed/chamber_index.ts";
import { CONTENT_PART_BYTES, ContentCipher, partCount } from "../../src/sealed/content_cipher.ts";
import {
  openStoreHeader,
  parseStoreHeader,
  sealStoreHeader,
} from "../../src/sealed/store_header.ts";
import {
  encodeSealedHeader,
  parseSealedHeader,
  type SealedStreamFacts,
  SealedStreamKeys,
} from "../../src/sealed/stream_format.ts";
import { StreamOpener } from "../../src/sealed/stream_opener.ts";
import { StreamSealer } from "../../src/sealed/stream_sealer.ts";
import { secretBytes, type StoreSecret } from "../../src/storage/store_secret.ts";
import type { Arguments, Operation } from "./notation.ts";

const secretOf = (a: Arguments): StoreSecret =>
  a.passphrase === undefined ? fromHex(a.seed) : { passphrase: a.passphrase };

const wrong = (code: "STORAGE_KEY" | "SEALED_KEY") => (text: string): SttError =>
  new SttError(code, text);

function changeOf([name, entry]: IndexChange): unknown {
  return entry === undefined ? { name } : { name, ...entry, tag: toHex(entry.tag) };
}

export function storageOps(provider: CryptoProvider): Readonly<Record<string, Operation>> {
  const cipherOf = (a: Arguments): ChamberCipher =>
    new ChamberCipher(provider, fromHex(a.master), fromHex(a.chamber), fromHex(a.node));
  const contentOf = (a: Arguments): ContentCipher =>
    new ContentCipher(provider, fromHex(a.master), fromHex(a.store), fromHex(a.node));
  return {
    "store.header.seal": async (a) => {
      const kdf = a.cost === undefined ? null : {
        N: a.cost.n,
        r: a.cost.r,
        p: a.cost.p,
        salt: fromHex(a.cost.salt),
      };
      const facts = { kind: a.kind, id: fromHex(a.store), kdf, node: fromHex(a.node) };
      const secret = await secretBytes(provider, secretOf(a), kdf, wrong("STORAGE_KEY"));
      const [salt, master] = [fromHex(a.salt), fromHex(a.master)];
      return { hex: toHex(sealStoreHeader(provider, facts, secret, salt, master)) };
    },
    "store.header.open": async (a) => {
      const header = parseStoreHeader(a.kind, fromHex(a.hex));
      const secret = await secretBytes(provider, secretOf(a), header.kdf, wrong("STORAGE_KEY"));
      const master = openStoreHeader(provider, header, fromHex(a.node), secret);
      if (master === undefined) throw wrong("STORAGE_KEY")("cannot open header");
      return { store: toHex(header.id), master: toHex(master) };
    },
    "chamber.locate": (a) => ({ key: toHex(cipherOf(a).locate(a.part, a.number)) }),
    "chamber.record.seal": (a) => {
      const [value, salt] = [fromHex(a.value), fromHex(a.salt)];
      return { hex: toHex(cipherOf(a).sealRecord(a.name, a.version, value, salt).bytes) };
    },
    "chamber.record.open": (a) => ({
      value: toHex(cipherOf(a).openRecordAs(a.name, a.version, fromHex(a.hex))),
    }),
    "chamber.index.open": (a) => {
      const entries = cipherOf(a).openIndex(a.generation, fromHex(a.hex));
      return { entries: [...entries].map(changeOf) };
    },
    "chamber.head.open": (a) => {
      const { base, generation, changes } = cipherOf(a).openHead(fromHex(a.hex));
      return { base, generation, changes: changes.map(changeOf) };
    },
    "content.address": (a) => {
      const [cipher, content] = [contentOf(a), fromHex(a.content.repeat(a.times))];
      let address = cipher.emptyAddress();
      for (let index = 0, count = partCount(content.length); index < count; index++) {
        const part = content.subarray(index * CONTENT_PART_BYTES, (index + 1) * CONTENT_PART_BYTES);
        address = cipher.extendAddress(address, part, index === count - 1);
      }
      return { address: toHex(address) };
    },
    "content.locate": (a) => ({ key: toHex(contentOf(a).locateManifest(fromHex(a.address))) }),
    "content.part.seal": (a) => {
      const [blob, salt] = [fromHex(a.blob), fromHex(a.salt)];
      const sealed = contentOf(a).sealPart(blob, a.index, a.last, fromHex(a.plaintext), salt);
      return { hex: toHex(sealed) };
    },
    "content.part.open": (a) => {
      const opened = contentOf(a).openPart(fromHex(a.blob), a.index, a.last, fromHex(a.hex));
      return { plaintext: toHex(opened) };
    },
    "content.manifest.open": (a) => {
      const { address, blob, created, size } = contentOf(a)
        .openManifest(fromHex(a.location), fromHex(a.hex));
      return { address: toHex(address), blob: toHex(blob), created, size };
    },
    "sealed.seal": (a) => seal(provider, a),
    "sealed.open": (a) => open(provider, a),
  };
}

async function seal(provider: CryptoProvider, a: Arguments): Promise<unknown> {
  const cost = a.cost === undefined ? null : { N: a.cost.n, r: a.cost.r, p: a.cost.p };
  const salt = fromHex(a.salt);
  const facts: SealedStreamFacts = { live: a.live, chunkBits: a.chunk_bits, salt, cost };
  const header = encodeSealedHeader(facts);
  const keys = await keysOf(provider, a, facts, header);
  const pieces = [toHex(header), toHex(keys.mac)];
  const sealer = new StreamSealer(keys, facts);
  for (const piece of a.pieces) sealer.push(fromHex(piece), (chunk) => pieces.push(toHex(chunk)));
  pieces.push(toHex(sealer.end()));
  return { hex: pieces.join("") };
}

async function open(provider: CryptoProvider, a: Arguments): Promise<unknown> {
  const sealed = fromHex(a.hex);
  const header = parseSealedHeader(sealed);
  if (header === undefined) throw new SttError("SEALED_TRUNCATED", "cannot open: header cut off");
  const keys = await keysOf(provider, a, header, header.bytes);
  if (toHex(keys.mac) !== toHex(header.mac)) throw wrong("SEALED_KEY")("cannot open: wrong MAC");
  const opener = new StreamOpener(keys, header);
  let plaintext = "";
  const emit = (chunk: Uint8Array): void => void (plaintext += toHex(chunk));
  try {
    opener.push(sealed.subarray(header.bytes.length + header.mac.length), emit);
    opener.end(emit);
    return { plaintext };
  } catch (error) {
    if (error instanceof SttError) return { plaintext, error: error.code };
    throw error;
  }
}

async function keysOf(
  provider: CryptoProvider,
  a: Arguments,
  { cost, salt }: SealedStreamFacts,
  header: Uint8Array,
): Promise<SealedStreamKeys> {
  const kdf = cost === null ? null : { ...cost, salt };
  const secret = await secretBytes(provider, secretOf(a), kdf, wrong("SEALED_KEY"));
  return new SealedStreamKeys(provider, secret, header, fromHex(a.context));
}
