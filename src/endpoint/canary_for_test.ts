/**
 * Secrets that can be told from everything else, and every spelling in which they could be printed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { inspect } from "node:util";

/** A secret, and what of it would be recognised. */
export interface Canary {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Bytes that no other canary begins with, all of them printable. */
export function canary(name: string, length = 32): Canary {
  const text = `${name}-`.repeat(length).slice(0, length);
  return { name, bytes: Uint8Array.from(text, (letter) => letter.charCodeAt(0)) };
}

/** Eight bytes from the middle, as text, numbers, hexadecimal and base64, with or without gaps. */
function spellings({ bytes }: Canary): string[] {
  const start = 6;
  const part = bytes.subarray(start, start + 8);
  const hex = Buffer.from(part).toString("hex");
  const plain = Buffer.from(bytes.subarray(start, start + 6)).toString("base64");
  return [
    Buffer.from(part).toString("latin1"),
    hex,
    hex.toUpperCase(),
    hex.replace(/../g, "$& ").trim(),
    [...part].join(),
    [...part].join(", "),
    [...part].map((byte, i) => `"${start + i}":${byte}`).join(),
    plain,
  ];
}

/** Asserts that a text shows nothing of the secrets. */
export function assertSilent(text: string, canaries: readonly Canary[], where: string): void {
  const line = text.replace(/\s+/g, " ");
  for (const one of canaries) {
    for (const spelling of spellings(one)) {
      const at = Math.max(line.indexOf(spelling), text.indexOf(spelling));
      assert.ok(
        at < 0,
        `${where} shows ${one.name}: …${line.slice(Math.max(0, at - 80), at + 40)}`,
      );
    }
  }
}

/** Everything that a logger could make of a value, the causes of errors included. */
export function printed(value: unknown): string {
  const texts = [
    inspect(value, { depth: 12, showHidden: true, getters: true, maxArrayLength: null }),
  ];
  const seen = new Set<unknown>();
  const json = JSON.stringify(value, (_, item) => {
    if (typeof item === "bigint") return String(item);
    if (typeof item !== "object" || item === null) return item;
    if (seen.has(item)) return undefined;
    seen.add(item);
    return item;
  });
  texts.push(json ?? "", String(value));
  for (let error = value; error instanceof Error; error = error.cause) {
    texts.push(error.message, error.stack ?? "", JSON.stringify({ ...error }));
  }
  return texts.join("\n");
}
