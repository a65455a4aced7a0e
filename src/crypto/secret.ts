/**
 * Holding and erasing key material.
 *
 * @module
 */

import { SttError } from "../errors.ts";

const SHOWN = "[secret]";

// What util.inspect and Deno.inspect, and through them console.log, ask an object for.
const INSPECTION_HOOKS = ["nodejs.util.inspect.custom", "Deno.customInspect"];

/**
 * Overwrites arrays with zeros. Copies that the runtime made (strings, moved buffers) are out of reach.
 *
 * @param arrays Arrays to erase; undefined entries are passed over.
 *
 * @example
 * ```ts
 * import { wipe } from "@seigr/stt/crypto";
 * const key = new Uint8Array([1, 2, 3]);
 * wipe(key);
 * console.log(key.join()); // "0,0,0"
 * ```
 */
export function wipe(...arrays: (Uint8Array | undefined)[]): void {
  for (const array of arrays) array?.fill(0);
}

/**
 * Key material that cannot be printed: text conversion, JSON, `util.inspect`, `Deno.inspect` and `console.log` all show
 * `[secret]`. The bytes come out by {@link Secret.reveal} only.
 *
 * @example
 * ```ts
 * import { Secret } from "@seigr/stt/crypto";
 * const secret = new Secret(new Uint8Array(32).fill(7));
 * console.log(`${secret}`); // "[secret]"
 * console.log(secret.reveal().length); // 32
 * secret.wipe();
 * console.log(secret.wiped); // true
 * ```
 */
export class Secret {
  #bytes: Uint8Array | undefined;

  /** Takes `bytes` over: the caller must not change them, and {@link Secret.wipe} erases them. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Number of bytes held, 0 once wiped. */
  get length(): number {
    return this.#bytes?.length ?? 0;
  }

  /** True after {@link Secret.wipe}. */
  get wiped(): boolean {
    return this.#bytes === undefined;
  }

  /**
   * The bytes themselves, not a copy.
   *
   * @throws {SttError} INTERNAL after {@link Secret.wipe}.
   */
  reveal(): Uint8Array {
    if (this.#bytes === undefined) {
      throw new SttError("INTERNAL", "cannot reveal secret: it was wiped");
    }
    return this.#bytes;
  }

  /** Erases the bytes. May be called more than once. */
  wipe(): void {
    wipe(this.#bytes);
    this.#bytes = undefined;
  }

  /** `"[secret]"`. */
  toString(): string {
    return SHOWN;
  }

  /** `"[secret]"`. */
  toJSON(): string {
    return SHOWN;
  }

  static {
    for (const hook of INSPECTION_HOOKS) {
      Object.defineProperty(Secret.prototype, Symbol.for(hook), { value: () => SHOWN });
    }
  }
}
