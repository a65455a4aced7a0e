/** SPEC 14.4, chambers: written from the specification, in the plainest way. @module */
import { ascii, bigEndian, concat, hex, Refusal } from "./bytes.ts";
import { expand, hmac } from "./primitives.ts";
import {
  bytes,
  bytesOf,
  dict,
  fieldsOf,
  int,
  intOf,
  openBox,
  sealBox,
  text,
} from "./storage_box.ts";
import type { Typed } from "./values.ts";

/** 14.4.1: the chamber of a master key. */
export class TwinChamber {
  readonly #master: Uint8Array;
  readonly #id: Uint8Array;
  readonly #node: Uint8Array;

  constructor(master: Uint8Array, id: Uint8Array, node: Uint8Array) {
    this.#master = master;
    this.#id = id;
    this.#node = node;
  }

  locate(part: string, number: number): Uint8Array {
    const key = expand(this.#master, "stt1 chamber location", 32);
    const mac = hmac(key, ascii(part), Uint8Array.of(0), bigEndian(BigInt(number), 8));
    return concat(Uint8Array.of(2), mac.slice(0, 16));
  }

  seal(part: string, context: [string, Typed][], salt: Uint8Array, plain: Uint8Array): Uint8Array {
    return sealBox(this.#key(part), salt, this.#context(context), plain);
  }

  open(part: string, context: [string, Typed][], box: Uint8Array): Uint8Array {
    const plain = openBox(this.#key(part), this.#context(context), box);
    if (plain === undefined) throw new Refusal("STORAGE_CORRUPT");
    return plain;
  }

  sealRecord(name: string, version: number, salt: Uint8Array, value: Uint8Array): Uint8Array {
    return this.seal("record", recordContext(name, version), salt, value);
  }

  openRecord(name: string, version: number, box: Uint8Array): Uint8Array {
    return this.open("record", recordContext(name, version), box);
  }

  /** 14.4.2 */
  openIndex(generation: number, box: Uint8Array): unknown {
    const plain = this.open("index", [["version", int(generation)]], box);
    const entries = itemsOf(fieldsOf(plain, ["entries"]).get("entries"), false);
    for (const [i, { name }] of entries.entries()) {
      const before = entries[i - 1]?.name;
      if (before !== undefined && hex(ascii(before)) >= hex(ascii(name))) {
        throw new Refusal("STORAGE_CORRUPT");
      }
    }
    return { entries };
  }

  openHead(box: Uint8Array): unknown {
    const fields = fieldsOf(this.open("head", [], box), ["base", "changes", "generation"]);
    const generation = intOf(fields.get("generation"));
    const base = intOf(fields.get("base"), 0, generation);
    return { base, generation, changes: itemsOf(fields.get("changes"), true) };
  }

  #key(part: string): Uint8Array {
    return expand(this.#master, `stt1 chamber ${part}`, 32);
  }

  #context(entries: [string, Typed][]): Typed {
    return dict([["chamber", bytes(this.#id)], ["node", bytes(this.#node)], ...entries]);
  }
}

function recordContext(name: string, version: number): [string, Typed][] {
  return [["name", text(name)], ["version", int(version)]];
}

function itemsOf(list: Typed | undefined, removals: boolean): { name: string }[] {
  if (list?.t !== "list") throw new Refusal("STORAGE_CORRUPT");
  return list.v.map((item) => {
    if (item.t !== "list") throw new Refusal("STORAGE_CORRUPT");
    const parts = item.v;
    const name = parts[0];
    if (name?.t !== "str") throw new Refusal("STORAGE_CORRUPT");
    if (parts.length === 1 && removals) return { name: name.v };
    if (parts.length !== 6) throw new Refusal("STORAGE_CORRUPT");
    const tag = hex(bytesOf(parts[5], 16));
    const [version, created, modified, size] = parts.slice(1, 5).map((part) => intOf(part));
    return { name: name.v, version, created, modified, size, tag };
  });
}
