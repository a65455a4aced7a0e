import assert from "node:assert/strict";
import type { Side } from "../../testing/simulated_link.ts";
import { type HalfPlan, Reader, Writer } from "./half_for_test.ts";
import type { Flow, StreamUser, World } from "./world_for_test.ts";

/** A stream and what goes over it in both directions. */
export interface StreamPlan {
  /** Who opens it. */
  readonly opener: Side;
  /** SPEC 8: 0 bytes, 4 messages, 5 unordered messages. */
  readonly kind: 0 | 4 | 5;
  /** 0 to 1000. */
  readonly priority: number;
  /** From the opener. */
  readonly there: HalfPlan;
  /** To the opener. */
  readonly back: HalfPlan;
  /** The answer begins when the question has ended. */
  readonly answersAtEnd: boolean;
  /** The dialling side does not wait for FINAL. */
  readonly early?: boolean;
}

/** One stream, driven by its events on both sides. */
export class StreamFlow implements Flow {
  readonly #world: World;
  readonly #plan: StreamPlan;
  #id = 0;
  #halves: { writer: Writer; reader: Reader }[] = [];
  readonly #closed: Set<Side> = new Set();
  #answering = false;
  /** The answering side heard of the stream. */
  #seen = false;

  constructor(world: World, plan: StreamPlan) {
    this.#world = world;
    this.#plan = plan;
  }

  start(): void {
    const { opener, kind, priority, there, back } = this.#plan;
    const { streams } = this.#world.connection(opener);
    if (this.#id !== 0 || !this.#world.mayWrite(opener)) return;
    const id = streams.open(kind, priority);
    if (id === undefined) return;
    this.#id = id;
    const answerer = opener === "a" ? "b" : "a";
    const half = (from: Side, plan: HalfPlan): { writer: Writer; reader: Reader } => ({
      writer: new Writer(this.#world, from, id, kind, plan),
      reader: new Reader(this.#world, from === "a" ? "b" : "a", id, kind, plan),
    });
    this.#halves = [half(opener, there), half(answerer, back)];
    // A stream that is reset before its kind is known is reset in return, with the same code.
    if (there.resetAt !== undefined) this.#halves[1]!.reader.mayBeReset = true;
    this.#world.use(opener, id, this.#user(opener, 0));
    this.#world.use(answerer, id, this.#user(answerer, 1));
    this.#halves[0]!.writer.write();
  }

  onStreams(): void {
    this.start();
  }

  onEarly(): void {
    if (this.#plan.opener === "a" && this.#plan.early === true) this.start();
  }

  /** Events of a side that writes the half with index `own` and reads the other. */
  #user(side: Side, own: 0 | 1): StreamUser {
    const { writer } = this.#halves[own]!;
    const { reader } = this.#halves[1 - own]!;
    if (own === 1) reader.onEnded = () => this.#answer();
    return (event) => {
      switch (event.type) {
        case "stream":
          this.#seen = true;
          if (!this.#plan.answersAtEnd) this.#answer();
          return;
        case "readable":
          reader.read();
          return;
        case "writable":
          writer.write();
          return;
        case "reset":
          reader.onReset(event.code);
          return;
        case "stopped":
          writer.onStopped(event.code);
          return;
        case "finished":
          writer.finished = true;
          return;
        case "stream-closed":
          reader.onClosed();
          this.#closed.add(side);
      }
    };
  }

  #answer(): void {
    if (this.#answering) return;
    this.#answering = true;
    this.#halves[1]!.writer.write();
  }

  /** Everything that `side` wrote was read at the other end, as far as that reads without rest. */
  assertFlushed(side: Side): void {
    const half = this.#halves[side === this.#plan.opener ? 0 : 1];
    if (half === undefined || !half.reader.greedy) return;
    assert.equal(half.reader.at, half.writer.at, this.toString());
  }

  get done(): boolean {
    // Reset before any of its data arrived: the peer's application never hears of it.
    if (!this.#seen && this.#halves[0]?.writer.reset === true) {
      return this.#closed.has(this.#plan.opener);
    }
    return this.#closed.size === 2 &&
      this.#halves.every(({ writer, reader }) => writer.finished && reader.ended);
  }

  toString(): string {
    const halves = this.#halves.map(({ writer, reader }) =>
      `written ${writer.at}${writer.ended ? " ended" : ""}${writer.finished ? " finished" : ""}` +
      `${writer.stopped ? " stopped" : ""}, read ${reader.at}${reader.ended ? " ended" : ""}`
    );
    return `stream ${this.#id} of ${this.#plan.opener}, kind ${this.#plan.kind}: ` +
      `${halves.join("; ")}; closed at ${[...this.#closed].join(" and ") || "neither side"}`;
  }
}
