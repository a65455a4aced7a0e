/**
 * What of a folder failed. A sender can have every entry fail: each with an error of its own, and the stack in it, would
 * cost the receiver twenty times the bytes that it took to say.
 *
 * @module
 */
import { type ErrorCode, ERRORS, SttError } from "../../errors.ts";
import type { FailedEntry } from "./folder_scan.ts";

/** Entries whose own errors are kept. */
const DETAILED = 1000;

/** Failed entries in their order; of later ones the code alone is kept. */
export class FailedEntries {
  readonly list: FailedEntry[] = [];
  readonly #shared: Map<ErrorCode, SttError> = new Map();

  add(path: string, error: SttError): void {
    this.list.push({ path, error: this.list.length < DETAILED ? error : this.#sharedOf(error) });
  }

  #sharedOf({ code }: SttError): SttError {
    const known = this.#shared.get(code);
    if (known !== undefined) return known;
    const shared = new SttError(code, `cannot take one entry of many: ${ERRORS[code].text}`);
    this.#shared.set(code, shared);
    return shared;
  }
}
