/** SPEC 14.5, content stores: written from the specification, in the plainest way. @module */
import { concat, cut, hex, Refusal } from "./bytes.ts";
import { expand, hmac } from "./primitives.ts";
import { bytes, bytesOf, dict, fieldsOf, int, intOf, openBox, sealBox } from "./storage_box.ts";
import type { Typed } from "./values.ts";

/** 14.5: the content store of a master key. */
export class TwinContent {
  readonly #master: Uint8Array;
  readonly #id: Uint8Array;
  readonly #node: Uint8Array;

  constructor(master: Uint8Array, id: Uint8Array, node: Uint8Array) {
    this.#master = master;
    this.#id = id;
    this.#node = node;
  }

  address(content: Uint8Array): Uint8Array {
    let address: Uint8Array = new Uint8Array(32);
    const parts = cut(content, 262144);
    for (const [index, part] of parts.entries()) {
      const mark = Uint8Array.of(index === parts.length - 1 ? 1 : 0);
      address = hmac(this.#key("address"), address, mark, part);
    }
    return address;
  }

  location(address: Uint8Array): Uint8Array {
    return concat(Uint8Array.of(0x13), hmac(this.#key("location"), address).slice(0, 16));
  }

  sealPart(part: PartPlace, salt: Uint8Array, plain: Uint8Array): Uint8Array {
    return sealBox(this.#key("part"), salt, this.#partContext(part), plain);
  }

  openPart(part: PartPlace, box: Uint8Array): Uint8Array {
    const plain = openBox(this.#key("part"), this.#partContext(part), box);
    if (plain === undefined) throw new Refusal("STORAGE_CORRUPT");
    return plain;
  }

  sealManifest(location: Uint8Array, salt: Uint8Array, plain: Uint8Array): Uint8Array {
    const context = this.#context([["location", bytes(location)]]);
    return sealBox(this.#key("manifest"), salt, context, plain);
  }

  openManifest(location: Uint8Array, box: Uint8Array): Record<string, unknown> {
    const plain = openBox(
      this.#key("manifest"),
      this.#context([["location", bytes(location)]]),
      box,
    );
    if (plain === undefined) throw new Refusal("STORAGE_CORRUPT");
    const fields = fieldsOf(plain, ["address", "blob", "created", "size"]);
    return {
      address: hex(bytesOf(fields.get("address"), 32)),
      blob: hex(bytesOf(fields.get("blob"), 16)),
      created: intOf(fields.get("created")),
      size: intOf(fields.get("size")),
    };
  }

  #partContext({ blob, index, last }: PartPlace): Typed {
    return this.#context([["blob", bytes(blob)], ["index", int(index)], ["last", {
      t: "bool",
      v: last,
    }]]);
  }

  #key(label: string): Uint8Array {
    return expand(this.#master, `stt1 content ${label}`, 32);
  }

  #context(entries: [string, Typed][]): Typed {
    return dict([["store", bytes(this.#id)], ["node", bytes(this.#node)], ...entries]);
  }
}

/** Where a part of a content lies. */
export interface PartPlace {
  readonly blob: Uint8Array;
  readonly index: number;
  readonly last: boolean;
}
