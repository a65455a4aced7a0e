/**
 * What the runner and the program under test say to each other: one JSON object per line each way. README.md lists the
 * operations.
 *
 * @module
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** One operation and its arguments. */
export interface Request extends JsonObject {
  readonly op: string;
}

/** The program's answer: exactly one of the three. */
export type Answer =
  | { readonly ok: JsonObject }
  | { readonly error: string; readonly message?: string }
  | { readonly unsupported: true };

/** A program under test. */
export interface Implementation {
  readonly name: string;
  /** Throws {@link ImplementationFault} when the program crashes, hangs or talks nonsense. */
  call(request: Request): Promise<Answer>;
  close(): Promise<void>;
}

/** The program did not answer; the next call starts it anew. */
export class ImplementationFault extends Error {
  override readonly name: string = "ImplementationFault";
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
