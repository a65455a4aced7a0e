import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";

interface Entry {
  readonly socket: Socket;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * TCP connections that have not become WebSockets yet: bounded in number, and each in the time from its first byte to
 * the complete request, TLS included. A peer that sends one byte a second holds a socket no longer than one that is
 * silent.
 */
export class HalfOpenUpgrades {
  /** By the peer's address and port: a TLS socket and the TCP socket below it are the same connection. */
  readonly #entries = new Map<string, Entry>();
  readonly #most: number;
  readonly #timeoutMs: number;

  constructor(most: number, timeoutMs: number) {
    this.#most = most;
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  add(socket: Socket): void {
    if (this.#entries.size >= this.#most) {
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    this.release(socket);
    const timer = setTimeout(() => socket.destroy(), this.#timeoutMs);
    timer.unref();
    const entry = { socket, timer };
    this.#entries.set(key, entry);
    socket.once("close", () => {
      clearTimeout(timer);
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
  }

  /** The connection became a WebSocket. */
  release(socket: Socket): void {
    const key = keyOf(socket);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    this.#entries.delete(key);
  }

  destroyAll(): void {
    for (const { socket } of this.#entries.values()) socket.destroy();
  }
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}
