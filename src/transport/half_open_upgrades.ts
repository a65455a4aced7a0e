import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";

/**
 * TCP connections that have not become WebSockets yet: bounded in number, and each in the time from the connection to
 * the complete request, TLS included. A peer that sends one byte a second holds a socket no longer than a silent one.
 *
 * When there are too many, the oldest gives way: an upgrade takes a few round trips, so whoever means it is through long
 * before a crowd of silent connections has pushed it out. Refusing the newest would let that crowd shut the door.
 */
export class HalfOpenUpgrades {
  /** When the time of each is over; the same time for all, so the oldest comes first. */
  readonly #ends = new Map<Socket, number>();
  /** One for all: in a flood a timer each would cost more than the connection. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #most: number;
  readonly #timeoutMs: number;
  readonly #onClose: (this: Socket) => void;

  constructor(most: number, timeoutMs: number) {
    this.#most = most;
    this.#timeoutMs = timeoutMs;
    const release = (socket: Socket): void => this.release(socket);
    this.#onClose = function () {
      release(this);
    };
  }

  get size(): number {
    return this.#ends.size;
  }

  /** A new connection. */
  add(socket: Socket): void {
    if (this.#ends.size >= this.#most) this.#dropOldest();
    this.#ends.set(socket, performance.now() + this.#timeoutMs);
    socket.on("close", this.#onClose);
    this.#timer ??= this.#arm(this.#timeoutMs);
  }

  /** The connection became a WebSocket, or ended. */
  release(socket: Socket): void {
    if (!this.#ends.delete(socket)) return;
    socket.off("close", this.#onClose);
    if (this.#ends.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(delayMs: number): ReturnType<typeof setTimeout> {
    const timer = setTimeout(this.#onTimeout, delayMs);
    timer.unref();
    return timer;
  }

  readonly #onTimeout = (): void => {
    const now = performance.now();
    this.#timer = undefined;
    for (const [socket, end] of this.#ends) {
      if (end > now) {
        this.#timer = this.#arm(end - now);
        return;
      }
      this.release(socket);
      socket.destroy();
    }
  };

  #dropOldest(): void {
    for (const oldest of this.#ends.keys()) {
      this.release(oldest);
      oldest.destroy();
      return;
    }
  }

  destroyAll(): void {
    for (const socket of this.#ends.keys()) socket.destroy();
  }
}
