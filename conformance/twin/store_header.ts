/** SPEC 14.3, the header of a store: written from the specification, in the plainest way. @module */
import { hex, Refusal } from "./bytes.ts";
import { hkdf } from "./primitives.ts";
import {
  bytes,
  bytesOf,
  dict,
  dictFields,
  fieldsOf,
  int,
  intOf,
  openBox,
  sealBox,
  text,
} from "./storage_box.ts";
import { type Cost, costFits, secretOf, type TwinSecret } from "./storage_secret.ts";
import { encodeValue, type Typed } from "./values.ts";

export function openStoreHeader(
  kind: string,
  header: Uint8Array,
  node: Uint8Array,
  secret: TwinSecret,
): { store: string; master: string } {
  const fields = fieldsOf(header, ["stt", "version", "id", "kdf", "box"]);
  const stt = fields.get("stt") as Typed;
  if (stt.t !== "str" || stt.v !== kind) throw new Refusal("STORAGE_CORRUPT");
  if (intOf(fields.get("version")) !== 1) throw new Refusal("UNSUPPORTED");
  const id = bytesOf(fields.get("id"), 16);
  const kdf = fields.get("kdf") as Typed;
  let cost: Cost | undefined;
  if (kdf.t !== "null") {
    const parts = dictFields(kdf, ["n", "r", "p", "salt"]);
    const [n, r, p] = ["n", "r", "p"].map((key) => intOf(parts.get(key))) as [
      number,
      number,
      number,
    ];
    if (!costFits({ n, r, p })) throw new Refusal("STORAGE_CORRUPT");
    cost = { n, r, p, salt: bytesOf(parts.get("salt"), 32) };
  }
  const box = bytesOf(fields.get("box"), 80);
  const bare = secretOf(secret, cost, "STORAGE_KEY");
  const rest = [...fields].filter(([key]) => key !== "box");
  const context = dict([...rest, ["node", bytes(node)]]);
  const master = openBox(hkdf(bare, `stt1 ${kind} store`, 32), context, box);
  if (master === undefined) throw new Refusal("STORAGE_KEY");
  return { store: hex(id), master: hex(master) };
}

export function makeStoreHeader(
  kind: string,
  a: { id: Uint8Array; node: Uint8Array; salt: Uint8Array; master: Uint8Array; cost?: Cost },
  secret: TwinSecret,
): Uint8Array {
  const kdf: Typed = a.cost === undefined ? { t: "null" } : dict([
    ["n", int(a.cost.n)],
    ["r", int(a.cost.r)],
    ["p", int(a.cost.p)],
    ["salt", bytes(a.cost.salt)],
  ]);
  const rest: [string, Typed][] = [
    ["stt", text(kind)],
    ["version", int(1)],
    ["id", bytes(a.id)],
    ["kdf", kdf],
  ];
  const key = hkdf(secretOf(secret, a.cost, "STORAGE_KEY"), `stt1 ${kind} store`, 32);
  const box = sealBox(key, a.salt, dict([...rest, ["node", bytes(a.node)]]), a.master);
  return encodeValue(dict([...rest, ["box", bytes(box)]]));
}
