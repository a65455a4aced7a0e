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
  readonly #timers = new Map<Socket, ReturnType<typeof setTimeout>>();
  readonly #most: number;
  readonly #timeoutMs: number;

  constructor(most: number, timeoutMs: number) {
    this.#most = most;
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#timers.size;
  }

  /** A new connection. */
  add(socket: Socket): void {
    if (this.#timers.size >= this.#most) this.#dropOldest();
    const timer = setTimeout(() => socket.destroy(), this.#timeoutMs);
    timer.unref();
    this.#timers.set(socket, timer);
    socket.once("close", () => this.release(socket));
  }

  /** The connection became a WebSocket, or ended. */
  release(socket: Socket): void {
    const timer = this.#timers.get(socket);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#timers.delete(socket);
  }

  #dropOldest(): void {
    for (const oldest of this.#timers.keys()) {
      this.release(oldest);
      oldest.destroy();
      return;
    }
  }

  destroyAll(): void {
    for (const socket of this.#timers.keys()) socket.destroy();
  }
}
