import { SttError } from "../errors.ts";
import { PipeDirection } from "./pipe_direction.ts";
import { Prng } from "./prng.ts";
import type { Side } from "./simulated_link.ts";

/** How a {@link SimulatedPipe} cuts the bytes that arrive. */
export type Chunking = "whole" | "random" | number;

/** One direction of a {@link SimulatedPipe}. */
export interface PipeOptions {
  /** One-way delay in ms. Default 0. */
  readonly delayMs?: number;
  /** Rate in bytes per second. Default: unlimited. */
  readonly bytesPerSecond?: number;
  /**
   * `whole`: each write arrives as it was written, as messages do. `random`: pieces of any size that ignore the
   * boundaries of writes. A number: pieces of that many bytes, the last of what is there may be shorter. Default `whole`.
   */
  readonly chunking?: Chunking;
  /** Both directions end, with an error, once this many bytes of this one were read. Default: never. */
  readonly cutAfter?: number;
}

/** Options of {@link SimulatedPipe}. What `aToB` and `bToA` set overrides the common options for that direction. */
export interface SimulatedPipeOptions extends PipeOptions {
  /** Seed of random chunking. Default 1. */
  readonly seed?: number;
  /** What is different on the way from `a` to `b`. */
  readonly aToB?: PipeOptions;
  /** What is different on the way from `b` to `a`. */
  readonly bToA?: PipeOptions;
}

/**
 * A reliable, ordered byte pipe in virtual time, as TCP or a WebSocket is. It has no timers: the caller asks
 * `nextArrival()`, moves its clock and reads.
 *
 * @example
 * ```ts
 * import { FakeClock, SimulatedPipe } from "@seigr/stt/testing";
 * const clock = new FakeClock();
 * const pipe = new SimulatedPipe({ delayMs: 10, chunking: 2 });
 * pipe.write("a", new Uint8Array([1, 2, 3]), clock.nowMs);
 * console.log(pipe.read("b", clock.nowMs)); // undefined: still on its way
 * clock.advanceTo(pipe.nextArrival()!);
 * console.log(clock.nowMs); // 10
 * console.log(pipe.read("b", clock.nowMs)); // Uint8Array(2) [ 1, 2 ]
 * console.log(pipe.read("b", clock.nowMs)); // Uint8Array(1) [ 3 ]
 * ```
 */
export class SimulatedPipe {
  readonly #from: Record<Side, PipeDirection>;
  #cutError: SttError | undefined;

  /**
   * Makes a pipe with nothing on its way.
   *
   * @throws {SttError} CONFIG for a negative delay, a rate that is not above 0, or pieces below 1 byte.
   */
  constructor(options: SimulatedPipeOptions = {}) {
    const { seed = 1, aToB = {}, bToA = {}, ...common } = options;
    const prng = new Prng(seed);
    this.#from = {
      a: new PipeDirection({ ...common, ...aToB }, prng.fork()),
      b: new PipeDirection({ ...common, ...bToA }, prng.fork()),
    };
  }

  /** Writes from `side`; the bytes are copied. After `end` or a cut they are lost. */
  write(side: Side, bytes: Uint8Array, nowMs: number): void {
    if (this.#cutError === undefined) this.#from[side].write(bytes, nowMs);
  }

  /** Ends the direction from `side` behind what was written. */
  end(side: Side, nowMs: number): void {
    this.#from[side].end(nowMs);
  }

  /** Ends both directions at once with an error; what is on its way is lost. */
  cut(): void {
    this.#cutError ??= new SttError("TRANSPORT", "cannot go on: the simulated pipe was cut");
  }

  /** The next bytes that have arrived at `side`, or undefined. Call until undefined. */
  read(side: Side, nowMs: number): Uint8Array | undefined {
    if (this.#cutError !== undefined) return undefined;
    const direction = this.#from[other(side)];
    const bytes = direction.read(nowMs);
    if (bytes !== undefined && direction.cutReached) this.cut();
    return bytes;
  }

  /** Whether everything was read at `side` and nothing will follow. */
  ended(side: Side, nowMs: number): boolean {
    return this.#cutError !== undefined || this.#from[other(side)].ended(nowMs);
  }

  /** Why the pipe ended, when it was cut. */
  get error(): SttError | undefined {
    return this.#cutError;
  }

  /** Bytes that `side` wrote and that wait for the link's rate. */
  queuedBytes(side: Side, nowMs: number): number {
    return this.#from[side].queuedBytes(nowMs);
  }

  /** When the next bytes or the next end arrive at `side`, or at either end; undefined when nothing is on its way. */
  nextArrival(side?: Side): number | undefined {
    if (this.#cutError !== undefined) return undefined;
    if (side !== undefined) return this.#from[other(side)].nextMs;
    const a = this.#from.a.nextMs;
    const b = this.#from.b.nextMs;
    return a === undefined ? b : b === undefined ? a : Math.min(a, b);
  }
}

function other(side: Side): Side {
  return side === "a" ? "b" : "a";
}
