import { SttError } from "../errors.ts";
import type { Prng } from "./prng.ts";
import type { Chunking, PipeOptions } from "./simulated_pipe.ts";

/** Larger random pieces would hide the boundaries that matter. */
const MAX_RANDOM_CHUNK = 4096;

interface Segment {
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

/** One direction of a simulated pipe: bytes in order, delayed, cut into pieces when read. */
export class PipeDirection {
  readonly #delayMs: number;
  readonly #bytesPerSecond: number;
  readonly #chunking: Chunking;
  readonly #prng: Prng;
  readonly #segments: Segment[] = [];
  #left: number;
  #offset = 0;
  #busyUntilMs = 0;
  #endMs: number | undefined;
  #endReported = false;

  constructor(options: PipeOptions, prng: Prng) {
    this.#delayMs = options.delayMs ?? 0;
    this.#bytesPerSecond = options.bytesPerSecond ?? Infinity;
    this.#chunking = options.chunking ?? "whole";
    this.#left = options.cutAfter ?? Infinity;
    this.#prng = prng;
    const smallest = typeof this.#chunking === "number" ? this.#chunking : 1;
    if (!(this.#delayMs >= 0 && this.#bytesPerSecond > 0 && smallest >= 1 && this.#left > 0)) {
      throw new SttError(
        "CONFIG",
        `cannot simulate pipe: delayMs ${this.#delayMs}, bytesPerSecond ${this.#bytesPerSecond}, ` +
          `chunking ${this.#chunking}, cutAfter ${this.#left}`,
      );
    }
  }

  /** Everything up to the cut was read. */
  get cutReached(): boolean {
    return this.#left === 0;
  }

  /** When the next bytes, or the end, arrive. */
  get nextMs(): number | undefined {
    const first = this.#segments[0];
    if (first !== undefined) return first.atMs;
    return this.#endReported ? undefined : this.#endMs;
  }

  write(bytes: Uint8Array, nowMs: number): void {
    if (this.#endMs !== undefined || bytes.length === 0) return;
    this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs) +
      bytes.length / this.#bytesPerSecond * 1000;
    this.#segments.push({ atMs: this.#busyUntilMs + this.#delayMs, bytes: bytes.slice() });
  }

  end(nowMs: number): void {
    this.#endMs ??= Math.max(this.#busyUntilMs, nowMs) + this.#delayMs;
  }

  ended(nowMs: number): boolean {
    const over = this.#segments.length === 0 && this.#endMs !== undefined && this.#endMs <= nowMs;
    if (over) this.#endReported = true;
    return over;
  }

  queuedBytes(nowMs: number): number {
    if (this.#bytesPerSecond === Infinity) return 0;
    return Math.max(0, this.#busyUntilMs - nowMs) * this.#bytesPerSecond / 1000;
  }

  read(nowMs: number): Uint8Array | undefined {
    const first = this.#segments[0];
    if (first === undefined || first.atMs > nowMs || this.#left === 0) return undefined;
    const wanted = Math.min(this.#wanted(first.bytes.length - this.#offset), this.#left);
    const parts: Uint8Array[] = [];
    let size = 0;
    let segment: Segment | undefined = first;
    while (size < wanted && segment !== undefined && segment.atMs <= nowMs) {
      const part = segment.bytes.subarray(this.#offset, this.#offset + wanted - size);
      parts.push(part);
      size += part.length;
      this.#offset += part.length;
      if (this.#offset === segment.bytes.length) {
        this.#segments.shift();
        this.#offset = 0;
      }
      segment = this.#segments[0];
    }
    this.#left -= size;
    return joined(parts, size);
  }

  #wanted(restOfWrite: number): number {
    if (this.#chunking === "whole") return restOfWrite;
    if (this.#chunking === "random") {
      // Short pieces are where assemblers go wrong: half of them are below 16 bytes.
      return this.#prng.integer(1, this.#prng.chance(0.5) ? 16 : MAX_RANDOM_CHUNK);
    }
    return this.#chunking;
  }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const only = parts[0];
  if (parts.length === 1 && only !== undefined) return only;
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
