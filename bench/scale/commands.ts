/**
 * What the bench of scale asks of its two processes, and what they answer.
 *
 * @module
 */
import type { Memory } from "./memory.ts";

/** A line on the standard input of a side. */
export type ScaleCommand =
  | { readonly run: "memory" }
  | { readonly run: "cpu" }
  /** Dialler: connects until it has so many peers. */
  | { readonly run: "connect"; readonly address: string; readonly peers: number }
  /** Dialler: so many pings, over the first `peers` sessions in turn. */
  | { readonly run: "ping"; readonly count: number; readonly peers: number }
  /** Dialler: opens so many streams on its first session, a byte on each. */
  | { readonly run: "streams"; readonly count: number }
  /** Writes a snapshot of the heap there. */
  | { readonly run: "snapshot"; readonly file: string };

/** A line on its standard output. */
export interface ScaleAnswer {
  readonly address?: string;
  readonly memory?: Memory;
  /** Sessions and streams that stand. */
  readonly peers?: number;
  readonly streams?: number;
  /** Processor seconds so far. */
  readonly cpuSeconds?: number;
  /** Seconds that the command took. */
  readonly seconds?: number;
  readonly error?: string;
}
