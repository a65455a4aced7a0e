import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";

/**
 * TCP connections that have not become WebSockets yet: bounded in number, and each in the time from the connection to
 * the complete request, TLS included. A peer that sends one byte a second holds a socket no longer than a silent one.
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

  /** False when there are too many: the socket is destroyed. */
  add(socket: Socket): boolean {
    if (this.#timers.size >= this.#most) {
      socket.destroy();
      return false;
    }
    const timer = setTimeout(() => socket.destroy(), this.#timeoutMs);
    timer.unref();
    this.#timers.set(socket, timer);
    socket.once("close", () => this.release(socket));
    return true;
  }

  /** The connection became a WebSocket, or ended. */
  release(socket: Socket): void {
    const timer = this.#timers.get(socket);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#timers.delete(socket);
  }

  destroyAll(): void {
    for (const socket of this.#timers.keys()) socket.destroy();
  }
}
