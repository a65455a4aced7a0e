/** The operations on data at rest, answered by the twin. @module */
import { hex, unhex } from "./bytes.ts";
import { TwinChamber } from "./chamber.ts";
import { TwinContent } from "./content.ts";
import { openStream, sealStream } from "./sealed_stream.ts";
import type { TwinSecret } from "./storage_secret.ts";
import { makeStoreHeader, openStoreHeader } from "./store_header.ts";

type Arguments = ReturnType<typeof JSON.parse>;

const secretOf = (a: Arguments): TwinSecret => a.passphrase ?? unhex(a.seed);
const chamberOf = (a: Arguments): TwinChamber =>
  new TwinChamber(unhex(a.master), unhex(a.chamber), unhex(a.node));

const contentOf = (a: Arguments): TwinContent =>
  new TwinContent(unhex(a.master), unhex(a.store), unhex(a.node));
const placeOf = (a: Arguments) => ({ blob: unhex(a.blob), index: a.index, last: a.last });

export const TWIN_STORAGE_OPS: Readonly<Record<string, (a: Arguments) => Record<string, unknown>>> =
  {
    "store.header.seal": (a) => {
      const [id, node, salt, master] = [a.store, a.node, a.salt, a.master].map(
        unhex,
      ) as Uint8Array[];
      const cost = a.cost === undefined ? {} : { cost: { ...a.cost, salt: unhex(a.cost.salt) } };
      const facts = { id, node, salt, master, ...cost } as Parameters<typeof makeStoreHeader>[1];
      return { hex: hex(makeStoreHeader(a.kind, facts, secretOf(a))) };
    },
    "store.header.open": (a) => openStoreHeader(a.kind, unhex(a.hex), unhex(a.node), secretOf(a)),
    "chamber.locate": (a) => ({ key: hex(chamberOf(a).locate(a.part, a.number)) }),
    "chamber.record.seal": (a) => ({
      hex: hex(chamberOf(a).sealRecord(a.name, a.version, unhex(a.salt), unhex(a.value))),
    }),
    "chamber.record.open": (a) => ({
      value: hex(chamberOf(a).openRecord(a.name, a.version, unhex(a.hex))),
    }),
    "chamber.index.open": (a) =>
      chamberOf(a).openIndex(a.generation, unhex(a.hex)) as Record<string, unknown>,
    "chamber.head.open": (a) => chamberOf(a).openHead(unhex(a.hex)) as Record<string, unknown>,
    "content.address": (a) => ({
      address: hex(contentOf(a).address(unhex(a.content.repeat(a.times)))),
    }),
    "content.locate": (a) => ({ key: hex(contentOf(a).location(unhex(a.address))) }),
    "content.part.seal": (a) => ({
      hex: hex(contentOf(a).sealPart(placeOf(a), unhex(a.salt), unhex(a.plaintext))),
    }),
    "content.part.open": (a) => ({
      plaintext: hex(contentOf(a).openPart(placeOf(a), unhex(a.hex))),
    }),
    "content.manifest.open": (a) => contentOf(a).openManifest(unhex(a.location), unhex(a.hex)),
    "sealed.seal": (a) => ({
      hex: hex(sealStream({
        secret: secretOf(a),
        context: unhex(a.context),
        bits: a.chunk_bits,
        live: a.live,
        salt: unhex(a.salt),
        ...(a.cost === undefined ? {} : { cost: a.cost }),
        pieces: a.pieces.map(unhex),
      })),
    }),
    "sealed.open": (a) =>
      openStream(unhex(a.hex), { secret: secretOf(a), context: unhex(a.context) }),
  };
