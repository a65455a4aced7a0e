/**
 * A peer with the right keys that says whatever an input tells it to: one side of an established session, of either kind
 * of transport, and the connection that has to bear it.
 *
 * @module
 */
import {
  encodeFrame,
  FRAME_HEADROOM,
  FrameHeader,
  parseFrameHeader,
} from "../../src/codec/frame.ts";
import { toHex } from "../../src/codec/hex.ts";
import { decodeRecords } from "../../src/codec/records.ts";
import { encodeVarint } from "../../src/codec/varint.ts";
import type { Connection } from "../../src/connection/connection.ts";
import {
  FRAME_CONTROL,
  FRAME_DATA,
  FRAME_HANDSHAKE,
  FRAME_MAX_BODY,
  FRAME_STREAM,
  KIND_BYTES,
  KIND_MESSAGES,
  KIND_UNORDERED,
  TAG_BYTES,
} from "../../src/constants.ts";
import { nodeProvider } from "../../src/crypto/node_provider.ts";
import type { CryptoProvider } from "../../src/crypto/provider.ts";
import { SttError } from "../../src/errors.ts";
import { Protection } from "../../src/session/protection.ts";
import { DatagramPair } from "../../src/testing/datagram_pair.ts";
import { pair } from "../../src/testing/pair.ts";
import type { LinkAddress, Side } from "../../src/testing/simulated_link.ts";
import { Finding, oracle } from "./target.ts";

const LIMITS = { maxData: 6000, maxStreamData: 2000, maxStreams: 8, maxDatagram: 1000 };
const OPTIONS = { ...LIMITS, maxMessageSize: 1500, closeFlush: 500, maxIdle: 30_000 };
/** Sequences that the honest side may have used before its keys were taken over. */
const USED_SEQUENCES = 64;
const PADDING = new Uint8Array(1);
/** SPEC 8: windows grow with use, the session's to here. */
const SESSION_WINDOW_BYTES = 16_777_216;
/** What a victim says by itself: its streams, probes of the path, close; and for each frame that it gets. */
const OWN_FRAMES = 400;
const FRAMES_PER_FRAME = 40;

/** Bits of the head of an input. */
export const UDP = 1;
export const FROM_LISTENER = 2;
export const SLOW_READER = 4;
export const SMALL_EPOCHS = 8;

/** Gives parts to a victim and judges what it does. */
export class MaliciousPeer {
  readonly victim: Connection;
  readonly #protection: Protection;
  readonly #how: number;
  readonly #address: LinkAddress | undefined;
  readonly #header: FrameHeader = new FrameHeader();
  readonly #sealed: Uint8Array[] = [];
  readonly #transcript: string[] = [];
  readonly #told: Set<string> = new Set();
  #nowMs: number;
  #parts = 0;
  #frames = 0;
  #closed = 0;

  constructor(how: number, seed: number, provider: CryptoProvider) {
    const reliable = (how & UDP) === 0;
    const side: Side = (how & FROM_LISTENER) !== 0 ? "b" : "a";
    const options = { ...OPTIONS, ...((how & SMALL_EPOCHS) !== 0 ? { rotatePackets: 16 } : {}) };
    const run = reliable
      ? pair({ seed, options, provider }).establish()
      : established(new DatagramPair({ seed, options, provider }));
    const { session } = run[side] as Connection;
    if (session === undefined || run.b === undefined) throw new Finding("there is no session");
    const { i2r, r2i } = run.traffic;
    this.victim = side === "a" ? run.b : run.a;
    this.#how = how;
    this.#nowMs = run.clock.nowMs;
    this.#address = run instanceof DatagramPair ? run.link.address(side) : undefined;
    this.#protection = new Protection({
      provider: nodeProvider(),
      suite: session.suite,
      sessionId: session.sessionId,
      sendSecret: side === "a" ? i2r : r2i,
      recvSecret: side === "a" ? r2i : i2r,
      reliable,
      nowMs: this.#nowMs,
    });
    if (!reliable) { for (let n = 0; n < USED_SEQUENCES; n++) this.#seal(FRAME_CONTROL, PADDING); }
    this.#speak();
  }

  /** What the victim said and told, in one string: equal whatever the provider. */
  get transcript(): string {
    return this.#transcript.join("\n");
  }

  /** Kinds of events that the victim told, and what it refused. */
  get told(): string {
    const { rejected } = this.victim.stats();
    return [...this.#told, ...Object.keys(rejected)].sort().join(" ");
  }

  /** The victim has streams of its own, so that records about them mean something. */
  #speak(): void {
    const { streams } = this.victim;
    for (const kind of [KIND_BYTES, KIND_MESSAGES, KIND_UNORDERED]) {
      const id = streams.open(kind);
      if (id === undefined) continue;
      if (kind === KIND_BYTES) streams.write(id, new Uint8Array(2500));
      else streams.writeMessage(id, new Uint8Array(700));
    }
    this.#take();
  }

  /** One part of the input. */
  give(part: Uint8Array): void {
    if (this.victim.finished) return;
    this.#parts++;
    const [op = 0, a = 0, b = 0, c = 0] = part;
    switch (op & 15) {
      case 6:
      case 7:
      case 8:
        return this.#deliver(this.#seal(FRAME_STREAM, part.subarray(3), a, b));
      case 9:
        return this.#deliver(this.#seal(FRAME_DATA, part.subarray(2), 0, a));
      case 10:
        return this.#deliver(this.#anyType(a, b, c, part.subarray(4)));
      case 11:
        return this.#deliver(part.subarray(1));
      case 12:
        return this.#wait(a * 40);
      case 13:
        return this.#deliver(this.#sealed[a % Math.max(1, this.#sealed.length)] ?? PADDING);
      case 14:
        return this.#rotate();
      case 15: {
        const frame = this.#seal(FRAME_CONTROL, PADDING);
        frame[a % frame.length]! ^= 1 << (b & 7);
        return this.#deliver(frame);
      }
      default:
        return this.#deliver(this.#seal(FRAME_CONTROL, part.subarray(1)));
    }
  }

  /** Closes the victim, which has to come to an end soon, whatever it heard. */
  end(): string {
    if (!this.victim.finished) {
      this.victim.close(this.#nowMs);
      this.#take();
    }
    const code = this.victim.closeFacts?.error?.code ?? "NONE";
    const limit = this.#nowMs + 60_000;
    while (!this.victim.finished) {
      const due = this.victim.nextTimeout();
      oracle(due !== undefined && due < limit, () => `no end in state ${this.victim.state}`);
      this.#nowMs = Math.max(this.#nowMs, due);
      this.victim.onTimeout(this.#nowMs);
      this.#take();
    }
    oracle(this.#closed === 1, () => `${this.#closed} times closed`);
    const error = this.victim.closeFacts?.error;
    oracle(error?.code !== "INTERNAL", () => error?.stack ?? "");
    this.#protection.wipe();
    return code;
  }

  #anyType(type: number, flags: number, streamId: number, payload: Uint8Array): Uint8Array {
    if (type !== FRAME_HANDSHAKE) return this.#seal(type, payload, flags, streamId);
    const none = new Uint8Array(0);
    const sessionId = new Uint8Array(8);
    const fields = { type, flags, sessionId, streamId, sequence: 0, timestamp: 0 };
    return encodeFrame({ ...fields, metadata: none, payload });
  }

  #rotate(): void {
    const protection = this.#protection;
    protection.requestRotation();
    if (protection.beforeSend(this.#nowMs) !== undefined || !protection.rotationPending) return;
    const record = new Uint8Array([4, ...encodeVarint(protection.sendEpoch)]);
    this.#deliver(this.#seal(FRAME_CONTROL, record));
  }

  #seal(type: number, payload: Uint8Array, flags = 0, streamId = 0): Uint8Array {
    const protection = this.#protection;
    // The peer's rotation is followed, or nothing would be sealed any more.
    if (protection.rotationPending && (type !== FRAME_CONTROL || payload[0] !== 4)) {
      const record = new Uint8Array([4, ...encodeVarint(protection.sendEpoch)]);
      return this.#sealPlain(FRAME_CONTROL, record, 0, 0);
    }
    return this.#sealPlain(type, payload, flags, streamId);
  }

  #sealPlain(type: number, payload: Uint8Array, flags: number, streamId: number): Uint8Array {
    const end = FRAME_HEADROOM + payload.length;
    const buffer = new Uint8Array(end + TAG_BYTES);
    buffer.set(payload, FRAME_HEADROOM);
    this.#protection.seal(buffer, FRAME_HEADROOM, end, type, flags, streamId, 0);
    const frame = buffer.slice(this.#protection.frameStart, this.#protection.frameEnd);
    if (this.#sealed.length < 64) this.#sealed.push(frame);
    return frame.slice();
  }

  #deliver(bytes: Uint8Array): void {
    const { host, port } = this.#address ?? { host: "", port: 0 };
    this.victim.receive(bytes, this.#nowMs, host, port);
    if (this.#address === undefined) this.victim.endOfMessage(this.#nowMs);
    else this.victim.endOfBatch(this.#nowMs);
    this.#take();
  }

  #wait(ms: number): void {
    const until = this.#nowMs + ms;
    for (let left = 500;; left--) {
      oracle(left > 0, "timers without end");
      const due = this.victim.nextTimeout();
      if (due === undefined || due > until || this.victim.finished) break;
      this.#nowMs = Math.max(this.#nowMs, due);
      this.victim.onTimeout(this.#nowMs);
      this.#take();
    }
    this.#nowMs = until;
  }

  #take(): void {
    const { victim } = this;
    for (let left = 5000; left > 0; left--) {
      const event = victim.nextEvent();
      if (event !== undefined) {
        oracle(this.#closed === 0, () => `${event.type} behind closed`);
        if (event.type === "closed") this.#closed++;
        this.#transcript.push(event.type);
        this.#told.add(event.type);
        if (event.type === "readable" && (this.#how & SLOW_READER) === 0) this.#read(event.id);
        continue;
      }
      const frame = victim.transmit(this.#nowMs);
      if (frame === undefined) return this.#bounds();
      this.#transcript.push(toHex(frame));
      this.#frames++;
      this.#open(frame);
    }
    throw new Finding("frames and events without end");
  }

  #read(id: number): void {
    const { streams } = this.victim;
    const kind = streams.kindOf(id);
    if (kind === undefined) return;
    try {
      for (let left = 2000; left > 0; left--) {
        const item = (kind & 3) === 2
          ? streams.readSegment(id)
          : kind === KIND_BYTES
          ? streams.read(id)
          : streams.readMessage(id);
        if (item === undefined || item === null) return;
      }
      throw new Finding(`stream ${id} can be read without end`);
    } catch (error) {
      if (!(error instanceof SttError) || !/^STREAM_|BUFFER_|CLOSED/.test(error.code)) throw error;
    }
  }

  /** Whatever the victim says is well formed. */
  #open(frame: Uint8Array): void {
    const header = this.#header;
    parseFrameHeader(frame, 0, frame.length, FRAME_MAX_BODY, header);
    if (header.type === FRAME_HANDSHAKE) return;
    const payload = this.#protection.open(frame, header, this.#nowMs);
    // Keys of epochs that the input spoilt are not there; what does open must be right.
    if (payload === undefined || header.type !== FRAME_CONTROL) return;
    const { error } = decodeRecords(payload);
    oracle(error === undefined, () => `the victim sends ${error}`);
  }

  #bounds(): void {
    const { streams, path } = this.victim.stats();
    oracle(streams.open <= LIMITS.maxStreams + 8, () => `${streams.open} streams have state`);
    // An unfinished message may be held beyond the window; sixteen streams hold one each at most.
    const most = SESSION_WINDOW_BYTES;
    oracle(streams.recvBuffered <= most, () => `${streams.recvBuffered} bytes wait to be read`);
    oracle(streams.sendBuffered <= 4000, () => `${streams.sendBuffered} bytes wait to be sent`);
    oracle((path?.packetsHeld ?? 0) <= 2000, () => `${path?.packetsHeld} packets are held`);
    const frames = OWN_FRAMES + FRAMES_PER_FRAME * this.#parts;
    oracle(this.#frames <= frames, () => `${this.#frames} frames answer ${this.#parts}`);
  }
}

function established(run: DatagramPair): DatagramPair {
  const open = (): boolean => run.a.state === "established" && run.b?.state === "established";
  if (!run.run(open, 60_000)) throw new Finding("the session does not open");
  return run;
}
