/**
 * A session whose dialler seals whatever it likes: it holds the seed, and breaks every habit that the protocol leaves
 * to good manners.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { ByteWriter } from "../../../src/codec/byte_writer.ts";
import { FRAME_HEADROOM } from "../../../src/codec/frame.ts";
import { recordSize, type SessionRecord, writeRecord } from "../../../src/codec/records.ts";
import { connectionLimits, transportParameters } from "../../../src/connection/config.ts";
import { Connection } from "../../../src/connection/connection.ts";
import { TAG_BYTES } from "../../../src/constants.ts";
import { seedKeys } from "../../../src/crypto/key_schedule.ts";
import { nodeProvider } from "../../../src/crypto/node_provider.ts";
import { Protection } from "../../../src/session/protection.ts";
import { TrafficTap } from "../../../src/testing/mod.ts";

/** One session over TCP. */
export class ForgedSession {
  readonly #socket: Socket;
  readonly #protection: Protection;

  private constructor(socket: Socket, protection: Protection) {
    this.#socket = socket;
    this.#protection = protection;
  }

  /** Dials and takes the keys over. */
  static async open(port: number, seed: Uint8Array): Promise<ForgedSession> {
    const tap = new TrafficTap(nodeProvider());
    const { provider } = tap;
    const limits = connectionLimits({});
    const now = (): number => performance.now();
    const connection = Connection.dial({
      provider,
      limits,
      handshake: {
        provider,
        reliable: true,
        seedKeys: seedKeys(provider, seed),
        staticKey: provider.x25519(),
        parameters: transportParameters(limits),
        suites: [1, 2],
        timeoutMs: 10_000,
        unixOffsetMs: Date.now() - now(),
      },
    }, now());
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    const flush = (): void => {
      for (let out = connection.transmit(now()); out; out = connection.transmit(now())) {
        socket.write(out);
      }
    };
    let established = false;
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", flush);
      socket.once("close", () => reject(new Error("the listener refused the session")));
      socket.on("data", (chunk) => {
        if (established) return;
        connection.receive(new Uint8Array(chunk), now());
        for (let event = connection.nextEvent(); event; event = connection.nextEvent()) {
          if (event.type === "established") established = true;
        }
        if (established) resolve();
        else flush();
      });
    });
    const { session } = connection;
    if (session === undefined) throw new Error("the session has no keys");
    const { i2r, r2i } = tap.newest;
    const protection = new Protection({
      provider,
      suite: session.suite,
      sessionId: session.sessionId,
      sendSecret: i2r,
      recvSecret: r2i,
      reliable: true,
      nowMs: now(),
    });
    return new ForgedSession(socket, protection);
  }

  /** Seals a frame with the next sequence. */
  frame(type: number, payload: Uint8Array, flags = 0, streamId = 0): Uint8Array {
    const end = FRAME_HEADROOM + payload.length;
    const buffer = new Uint8Array(end + TAG_BYTES);
    buffer.set(payload, FRAME_HEADROOM);
    this.#protection.seal(buffer, FRAME_HEADROOM, end, type, flags, streamId, 0);
    return buffer.subarray(this.#protection.frameStart, this.#protection.frameEnd);
  }

  /** Resolves when the system took the bytes. */
  async send(chunks: readonly Uint8Array[]): Promise<void> {
    let size = 0;
    for (const chunk of chunks) size += chunk.length;
    const all = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    await new Promise<void>((resolve) => this.#socket.write(all, () => resolve()));
  }

  /** Stops reading what the listener answers. */
  ignore(): void {
    this.#socket.pause();
  }

  end(): void {
    this.#socket.destroy();
  }
}

/** Records back to back. */
export function payloadOf(records: readonly SessionRecord[]): Uint8Array {
  const payload = new Uint8Array(records.reduce((sum, record) => sum + recordSize(record), 0));
  const writer = new ByteWriter(payload);
  for (const record of records) writeRecord(writer, record);
  return payload;
}
