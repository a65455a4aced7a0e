/**
 * Reading the dicts and lists of data at rest: strict, because their bytes come from a disk that others may write.
 *
 * @module
 */
import { decodeValue, type SttValue, type ValueDecodeOptions } from "../codec/values.ts";
import { SttError } from "../errors.ts";

/** STORAGE_CORRUPT: what was found is not what this key wrote. */
export function corrupt(what: string, reason: string, cause?: unknown): SttError {
  return new SttError("STORAGE_CORRUPT", `cannot read ${what}: ${reason}`, { cause });
}

/** A canonical value (SPEC 2.4). @throws {SttError} STORAGE_CORRUPT. */
export function readCanonical(
  what: string,
  bytes: Uint8Array,
  options: ValueDecodeOptions = {},
): SttValue {
  try {
    return decodeValue(bytes, { ...options, canonical: true });
  } catch (cause) {
    throw corrupt(what, cause instanceof Error ? cause.message : "malformed", cause);
  }
}

/** Access to the fields of a dict that has exactly the fields asked for. */
export class DictFields {
  readonly #what: string;
  readonly #dict: ReadonlyMap<string, SttValue>;

  /** @throws {SttError} STORAGE_CORRUPT unless `value` is a dict with these keys and no others. */
  constructor(what: string, value: SttValue, keys: readonly string[]) {
    if (!(value instanceof Map)) throw corrupt(what, "not a dict");
    const dict = value as ReadonlyMap<string, SttValue>;
    if (dict.size !== keys.length || !keys.every((key) => dict.has(key))) {
      throw corrupt(what, `its fields are not ${keys.join(", ")}`);
    }
    this.#what = what;
    this.#dict = dict;
  }

  /** An integer within limits; a larger one than 2^53-1 is never within them. */
  integer(key: string, min: number, max: number): number {
    return integerOf(this.#what, key, this.#dict.get(key), min, max);
  }

  bytes(key: string, length?: number): Uint8Array {
    const value = this.#dict.get(key);
    if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length)) {
      throw corrupt(this.#what, `field ${key} is not ${length ?? ""} bytes`);
    }
    return value;
  }

  list(key: string): readonly SttValue[] {
    const value = this.#dict.get(key);
    if (!Array.isArray(value)) throw corrupt(this.#what, `field ${key} is not a list`);
    return value;
  }

  raw(key: string): SttValue {
    return this.#dict.get(key) ?? null;
  }
}

/** An integer within limits. @throws {SttError} STORAGE_CORRUPT. */
export function integerOf(
  what: string,
  name: string,
  value: SttValue | undefined,
  min: number,
  max: number,
): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw corrupt(what, `${name} is not a whole number from ${min} to ${max}`);
  }
  return value;
}
