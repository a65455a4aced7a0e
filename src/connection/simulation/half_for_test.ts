import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SttError } from "../../errors.ts";
import type { Side } from "../../testing/simulated_link.ts";
import type { Connection } from "../connection.ts";
import type { World } from "./world_for_test.ts";

/** Most bytes of one write or message. */
export const MAX_WRITE_BYTES = 50_000;

/** How one direction of a stream goes. */
export interface HalfPlan {
  /** Bytes of application data; for streams of messages they are cut into messages. */
  readonly bytes: Uint8Array;
  /** Lengths of the messages; undefined for a stream of bytes. */
  readonly messages?: readonly number[];
  /** The writer resets the stream when it has written so many bytes. */
  readonly resetAt?: number;
  /** The reader wants no more when it has read so many bytes. */
  readonly stopAt?: number;
  /** The writer waits this long behind each burst of writes. */
  readonly pauseMs?: number;
  /** Bytes of a burst. */
  readonly burst?: number;
  /** The reader takes so many bytes, then rests for `restMs`. */
  readonly readBytes?: number;
  readonly restMs?: number;
}

/** Code of the writer's reset, and of the reader's stop. */
export const RESET_CODE = 0x1001;
export const STOP_CODE = 0x1002;

/** Writes one direction of a stream. */
export class Writer {
  /** The stream told that this half is sent whole or reset. */
  finished = false;
  /** Nothing more will be written. */
  ended = false;
  reset = false;
  stopped = false;
  #at = 0;
  #message = 0;
  #sleeping = false;
  #burst = 0;
  readonly #world: World;
  readonly #side: Side;
  readonly #id: number;
  readonly #plan: HalfPlan;
  readonly #kind: number;

  constructor(world: World, side: Side, id: number, kind: number, plan: HalfPlan) {
    this.#world = world;
    this.#side = side;
    this.#id = id;
    this.#kind = kind;
    this.#plan = plan;
  }

  get at(): number {
    return this.#at;
  }

  /** Writes while the stream takes it; then the `writable` event, or the end of a pause, goes on. */
  write(): void {
    try {
      this.#write();
    } catch (error) {
      // The peer's STOP is here, and the event that tells of it waits in the queue.
      if (!(error instanceof SttError) || error.code !== "STREAM_STOPPED") throw error;
      assert.equal(error.wire, STOP_CODE);
      this.stopped = true;
    }
  }

  #write(): void {
    const { streams } = this.#connection;
    const { resetAt = Infinity } = this.#plan;
    // A session that is closing sends what was written before; more would never end.
    if (!this.#world.mayWrite(this.#side)) return;
    while (!this.ended && !this.stopped && !this.#sleeping) {
      if (this.#at >= resetAt) {
        this.ended = true;
        this.reset = true;
        streams.reset(this.#id, RESET_CODE);
        return;
      }
      if (this.#atEnd) {
        this.ended = true;
        streams.finish(this.#id);
        return;
      }
      const taken = this.#next();
      if (this.#pauses() || !taken) return;
    }
  }

  onStopped(code: number): void {
    assert.equal(code, STOP_CODE);
    this.stopped = true;
  }

  get #connection(): Connection {
    return this.#world.connection(this.#side);
  }

  get #atEnd(): boolean {
    const { messages, bytes } = this.#plan;
    return messages === undefined ? this.#at === bytes.length : this.#message === messages.length;
  }

  #next(): boolean {
    const { streams } = this.#connection;
    const { bytes, messages } = this.#plan;
    const { prng } = this.#world;
    const start = this.#at;
    if (messages !== undefined) {
      const index = this.#message++;
      this.#at += messages[index]!;
      this.#burst += messages[index]!;
      const body = bytes.subarray(start, this.#at);
      return streams.writeMessage(this.#id, this.#kind === 5 ? numbered(index, body) : body);
    }
    const most = prng.chance(0.2) ? 100 : prng.chance(0.1) ? MAX_WRITE_BYTES : 8000;
    this.#at = Math.min(bytes.length, start + prng.integer(1, most));
    this.#burst += this.#at - start;
    return streams.write(this.#id, bytes.subarray(start, this.#at));
  }

  #pauses(): boolean {
    const { burst = Infinity, pauseMs = 0 } = this.#plan;
    if (this.#burst < burst) return false;
    this.#burst = 0;
    this.#sleeping = true;
    this.#world.after(pauseMs, () => {
      this.#sleeping = false;
      this.write();
    });
    return true;
  }
}

/** Unordered messages say which they are. */
function numbered(index: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(2 + body.length);
  message[0] = index >> 8;
  message[1] = index & 255;
  message.set(body, 2);
  return message;
}

/** Reads the other end of a direction and compares every byte. */
export class Reader {
  /** The whole half was read, or it ended in the way that was planned. */
  ended = false;
  /** Called once `ended` is true. */
  onEnded: (() => void) | undefined;
  reset = false;
  stopped = false;
  /** The writer's reset is part of the play. */
  mayBeReset: boolean;
  #at = 0;
  #message = 0;
  #resting = false;
  #taken = 0;
  readonly #missing: Set<number> = new Set();
  readonly #starts: number[] = [];
  readonly #world: World;
  readonly #side: Side;
  readonly #id: number;
  readonly #kind: number;
  readonly #plan: HalfPlan;

  constructor(world: World, side: Side, id: number, kind: number, plan: HalfPlan) {
    this.#world = world;
    this.#side = side;
    this.#id = id;
    this.#kind = kind;
    this.#plan = plan;
    this.mayBeReset = plan.resetAt !== undefined;
    let start = 0;
    for (const [index, length] of (plan.messages ?? []).entries()) {
      this.#missing.add(index);
      this.#starts.push(start);
      start += length;
    }
  }

  /** It takes what is there as soon as it is there, to the end. */
  get greedy(): boolean {
    return this.#plan.readBytes === undefined && !this.stopped && !this.reset;
  }

  /** Bytes read so far. */
  get at(): number {
    return this.#at;
  }

  /** Reads until nothing is there; then the `readable` event goes on. */
  read(): void {
    try {
      this.#read();
    } catch (error) {
      if (!(error instanceof SttError) || error.code !== "STREAM_RESET") throw error;
      this.onReset(error.wire ?? NaN);
    }
    if (this.ended) this.onEnded?.();
  }

  /** Both halves are over. Of a half that was not reset everything was read, be it without a look at its end. */
  onClosed(): void {
    if (this.ended) return;
    assert.equal(this.#at, this.#plan.bytes.length, `stream ${this.#id} closes at ${this.#side}`);
    assert.equal(this.#missing.size, 0, `stream ${this.#id} closes with messages missing`);
    this.ended = true;
  }

  #read(): void {
    const { streams } = this.#connection;
    const { stopAt = Infinity, readBytes = Infinity } = this.#plan;
    const { state } = this.#connection;
    if (this.ended || state === "closing" || state === "closed") return;
    while (!this.ended && !this.#resting) {
      if (this.#at >= stopAt) {
        this.ended = true;
        this.stopped = true;
        streams.stop(this.#id, STOP_CODE);
        return;
      }
      const before = this.#at;
      const more = this.#kind === 0 ? this.#bytes() : this.#oneMessage();
      if (!more) return;
      this.#taken += this.#at - before;
      if (this.#taken >= readBytes) this.#rest();
    }
  }

  /** The peer reset the stream: what was read before is right, and more does not come. */
  onReset(code: number): void {
    const planned = code === RESET_CODE && this.mayBeReset;
    assert.ok(planned || (code === STOP_CODE && this.stopped), `reset with code ${code}`);
    this.ended = true;
    this.reset = true;
    this.onEnded?.();
  }

  get #connection(): Connection {
    return this.#world.connection(this.#side);
  }

  #bytes(): boolean {
    const { prng } = this.#world;
    const { bytes } = this.#plan;
    const most = prng.chance(0.1) ? prng.integer(1, 500) : Infinity;
    const chunk = this.#connection.streams.read(this.#id, most);
    if (chunk === undefined) return false;
    if (chunk === null) {
      assert.equal(this.#at, bytes.length, `stream ${this.#id} ends early at ${this.#side}`);
      this.ended = true;
      return false;
    }
    const wanted = bytes.subarray(this.#at, this.#at + chunk.length);
    assert.ok(chunk.length > 0 && Buffer.compare(chunk, wanted) === 0, this.#differs());
    this.#at += chunk.length;
    this.#world.received += chunk.length;
    return true;
  }

  #oneMessage(): boolean {
    const message = this.#connection.streams.readMessage(this.#id);
    if (message === undefined) return false;
    if (message === null) {
      assert.equal(this.#missing.size, 0, `stream ${this.#id} ends with messages missing`);
      this.ended = true;
      return false;
    }
    const unordered = this.#kind === 5;
    const index = unordered ? message[0]! << 8 | message[1]! : this.#message++;
    const body = unordered ? message.subarray(2) : message;
    assert.ok(this.#missing.delete(index), `message ${index} of stream ${this.#id} came twice`);
    const start = this.#starts[index]!;
    const wanted = this.#plan.bytes.subarray(start, start + this.#plan.messages![index]!);
    assert.ok(Buffer.compare(body, wanted) === 0, this.#differs());
    this.#at += body.length;
    this.#world.received += body.length;
    return true;
  }

  #differs(): string {
    return `stream ${this.#id} differs at ${this.#side} behind ${this.#at}`;
  }

  #rest(): void {
    this.#taken = 0;
    this.#resting = true;
    this.#world.after(this.#plan.restMs ?? 0, () => {
      this.#resting = false;
      this.read();
    });
  }
}
