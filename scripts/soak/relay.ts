/**
 * A bad network between diallers and one UDP listener: loses, delays, reorders and repeats datagrams, changes the port
 * that the listener sees, and can be cut.
 *
 * @module
 */
import { createSocket, type Socket } from "node:dgram";
import { clearTimeout, setTimeout } from "node:timers";
import type { Prng } from "../../src/testing/prng.ts";

const HOST = "127.0.0.1";

/** What the relay does to a datagram. */
export interface RelayHabits {
  /** Probability, 0 to 1. */
  readonly loss: number;
  /** Probability, 0 to 1. */
  readonly repeat: number;
  /** Milliseconds, each datagram on its own: the difference reorders. */
  readonly delayMs: readonly [least: number, most: number];
}

/** Counters of a relay. */
export interface RelayCounts {
  passed: number;
  lost: number;
  repeated: number;
  cut: number;
}

async function open(onMessage: (bytes: Uint8Array, port: number) => void): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (bytes, { port }) => onMessage(new Uint8Array(bytes), port));
  // Refused datagrams are lost, like on the way.
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.bind(0, HOST, () => resolve()));
  return socket;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}

/** Stands between one dialler at a time and one listener. */
export class Relay {
  readonly counts: RelayCounts = { passed: 0, lost: 0, repeated: 0, cut: 0 };
  /** Nothing passes. */
  isCut = false;
  readonly #serverPort: number;
  readonly #prng: Prng;
  readonly #habits: RelayHabits;
  readonly #onTheWay: Set<ReturnType<typeof setTimeout>> = new Set();
  #dialler = 0;
  #inside: Socket | undefined;
  #outside: Socket | undefined;

  constructor(serverPort: number, prng: Prng, habits: RelayHabits) {
    this.#serverPort = serverPort;
    this.#prng = prng;
    this.#habits = habits;
  }

  async start(): Promise<void> {
    this.#inside = await open((bytes, port) => {
      this.#dialler = port;
      this.#carry(() => this.#outside?.send(bytes, this.#serverPort, HOST));
    });
    await this.rebind();
  }

  /** What the dialler dials. */
  get address(): string {
    return `udp://${HOST}:${this.#inside?.address().port ?? 0}`;
  }

  /** The listener sees the dialler at another port from now on; the old one is dead. */
  async rebind(): Promise<void> {
    const old = this.#outside;
    this.#outside = await open((bytes) => {
      this.#carry(() => {
        if (this.#dialler > 0) this.#inside?.send(bytes, this.#dialler, HOST);
      });
    });
    if (old !== undefined) await closed(old);
  }

  async close(): Promise<void> {
    this.isCut = true;
    for (const timer of this.#onTheWay) clearTimeout(timer);
    const sockets = [this.#inside, this.#outside];
    this.#inside = undefined;
    this.#outside = undefined;
    for (const socket of sockets) if (socket !== undefined) await closed(socket);
  }

  #carry(send: () => void): void {
    if (this.isCut) {
      this.counts.cut++;
      return;
    }
    const { loss, repeat } = this.#habits;
    if (this.#prng.chance(loss)) {
      this.counts.lost++;
      return;
    }
    this.counts.passed++;
    this.#later(send);
    if (!this.#prng.chance(repeat)) return;
    this.counts.repeated++;
    this.#later(send);
  }

  #later(send: () => void): void {
    const [least, most] = this.#habits.delayMs;
    const timer = setTimeout(() => {
      this.#onTheWay.delete(timer);
      if (this.isCut) this.counts.cut++;
      else send();
    }, least + this.#prng.float() * (most - least));
    this.#onTheWay.add(timer);
  }
}
