/**
 * What the bench asks of its two processes, and what they answer.
 *
 * @module
 */
import type { Address } from "./adapter.ts";
import type { Usage } from "./usage.ts";

/** A line on the standard input of a side. */
export type Command =
  | { readonly run: "usage" }
  | { readonly run: "stats" }
  | { readonly run: "connect"; readonly address: Address }
  | { readonly run: "stream"; readonly size: number; readonly seconds: number }
  | { readonly run: "requests"; readonly inFlight: number; readonly seconds: number }
  | { readonly run: "handshakes"; readonly lanes: number; readonly seconds: number }
  | { readonly run: "disconnect" };

/** A line on its standard output. */
export interface Answer {
  readonly address?: Address;
  readonly usage?: Usage;
  /** Bytes, requests or handshakes per second, in the last run. */
  readonly rate?: number;
  /** How many pieces, requests or handshakes there were, the warm-up included. */
  readonly total?: number;
  readonly wireBytes?: number;
  readonly stats?: unknown;
  readonly error?: string;
}
