import type { Side } from "../../testing/simulated_link.ts";
import type { Flow, World } from "./world_for_test.ts";

const PINGS = 10;
const EVERY_MS = 100;

/** Pings of both sides: each is answered, however often its PING or PONG is lost. */
export class PingFlow implements Flow {
  readonly #world: World;
  readonly #waiting: Record<Side, Set<number>> = { a: new Set(), b: new Set() };
  #asked = 0;

  constructor(world: World) {
    this.#world = world;
    world.onPong = (side, ping) => void this.#waiting[side].delete(ping);
  }

  start(): void {
    for (const side of ["a", "b"] as const) {
      if (this.#world.mayWrite(side)) {
        this.#waiting[side].add(this.#world.connection(side).ping());
      }
    }
    if (++this.#asked === PINGS) return;
    this.#world.after(this.#world.prng.float() * 2 * EVERY_MS, () => this.start());
  }

  get done(): boolean {
    return this.#asked === PINGS && this.#waiting.a.size === 0 && this.#waiting.b.size === 0;
  }

  toString(): string {
    const { a, b } = this.#waiting;
    return `pings: asked ${this.#asked}, unanswered ${[...a]} of a, ${[...b]} of b`;
  }
}
