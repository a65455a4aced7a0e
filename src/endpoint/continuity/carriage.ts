/**
 * One session while it carries the streams of a resumable one: the control stream, and a carrier for each stream
 * (SPEC 15.4).
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import type { SttStream } from "../stt_stream.ts";
import { Waiters } from "../waiters.ts";
import {
  BlockReader,
  type CarrierWord,
  CODE_LOST,
  type Confirmation,
  CONFIRMS_PER_BLOCK,
  type ControlBlock,
  decodeAnswer,
  decodeControl,
  decodeGreeting,
  decodeOpening,
  encodeAnswer,
  encodeControl,
  encodeGreeting,
  encodeOpening,
} from "./blocks.ts";
import type { ResumableSession } from "./resumable_session.ts";
import type { ResumableStream } from "./resumable_stream.ts";

type Outgoing = Exclude<ControlBlock, { readonly type: "unknown" }>;

const CONTROL_PRIORITY = 900;
/** Blocks that wait for the control stream, from which on a peer may ask for no more. */
const UNREAD_MAX = 2048;

/** Runs until the session ends or another one takes its place. */
export class Carriage {
  readonly peer: Peer;
  readonly #session: ResumableSession;
  readonly #work: Waiters = new Waiters();
  readonly #progressed: Set<ResumableStream> = new Set();
  /** Streams of this side that have a carrier here, or are about to. */
  readonly #opened: WeakSet<ResumableStream> = new WeakSet();
  readonly #blocks: Outgoing[] = [];
  #done: number[] = [];
  #control: SttStream | undefined;
  /** After the greetings. */
  #ready = false;
  #peerKeeps = Infinity;
  #stopped = false;
  /** The session has ended: errors are its own from now on, whatever their code. */
  #ended = false;

  constructor(session: ResumableSession, peer: Peer) {
    this.#session = session;
    this.peer = peer;
    peer.on("close", () => {
      this.#ended = true;
      this.#work.wake();
    });
  }

  /** Greets, then carries. Never rejects. */
  async run(): Promise<void> {
    try {
      const control = this.#session.role === "initiator"
        ? await this.peer.openStream({ priority: CONTROL_PRIORITY })
        : await this.peer.acceptStream();
      if (control === null || this.#stopped) return;
      this.#control = control;
      const reader = new BlockReader(control);
      if (this.#session.role === "initiator") await this.#greet(control);
      const greeting = await reader.block();
      if (greeting === null || this.#stopped) return;
      const { live, next, aborted, keep } = decodeGreeting(greeting);
      if (this.#session.role === "responder") await this.#greet(control);
      if (this.#stopped) return;
      this.#peerKeeps = keep;
      this.#session.live.onGreeting(live, next);
      for (const [id, code] of aborted) this.#onControl({ type: "abort", stream: id, code });
      this.#ready = true;
      for (const [id, code] of this.#session.live.furtherAborts) this.abort(id, code);
      for (const stream of this.#session.carried) this.open(stream);
      await Promise.all([
        this.#guard(this.#readControl(reader)),
        this.#guard(this.#writeControl(control)),
        this.#guard(this.#acceptCarriers()),
      ]);
    } catch (error) {
      this.#onError(error);
    }
  }

  /** Nothing of this session counts any more. */
  stop(): void {
    this.#stopped = true;
    this.#work.wake();
  }

  /** Carries a stream of this side, once the greetings are through. */
  open(stream: ResumableStream): void {
    // Once: the greetings may come while a new stream is being written down.
    if (!this.#ready || this.#stopped || this.#opened.has(stream)) return;
    this.#opened.add(stream);
    void this.#guard(this.#open(stream));
  }

  /** A stream's receiver got on. */
  progress(stream: ResumableStream): void {
    this.#progressed.add(stream);
    this.#work.wake();
  }

  /** A stream of this side is over and forgotten. */
  done(id: number): void {
    this.#done.push(id);
    this.#work.wake();
  }

  /** A stream was given up here. */
  abort(stream: number, code: number): void {
    this.#queue({ type: "abort", stream, code });
  }

  /** Tells that there will be no other session. Waits for no room: a peer that reads nothing must not hold the end up. */
  bye(): void {
    try {
      this.#control?.tryWrite(encodeControl({ type: "bye" }), true);
    } catch (error) {
      // The session is gone: the other side will find out by its tickets.
      if (!(error instanceof SttError)) throw error;
    }
  }

  async #greet(control: SttStream): Promise<void> {
    await control.write(encodeGreeting(this.#session.live.greeting));
  }

  async #open(stream: ResumableStream): Promise<void> {
    const carrier = await this.peer.openStream();
    if (this.#stopped || this.#session.live.get(stream.id) !== stream) return carrier.reset();
    const { id, name, oneWay, known } = stream;
    const reader = new BlockReader(carrier);
    const answered = (async () => {
      const block = await reader.block();
      if (block === null) throw new SttError("PROTOCOL", "cannot carry stream: no answer came");
      return decodeAnswer(block);
    })();
    const word = stream.word(this.#peerKeeps);
    const taken = carrier.write(
      encodeOpening({ stream: id, name, oneWay, first: !known, ...word }),
    );
    if (!known) {
      // The other side cannot have anything of it: a first stream waits for no round trip.
      const begun = answered.then((answer) => {
        if ("abort" in answer) this.#session.live.onAbort(id, answer.abort);
        return reader;
      });
      stream.hear({ received: 0, confirmed: 0, ended: false, kept: 0 });
      stream.carry(carrier, begun);
      await taken;
      await begun;
      return;
    }
    // Together: the end of the session fails both.
    const [answer] = await Promise.all([answered, taken]);
    if (this.#stopped) return;
    if ("abort" in answer) return this.#session.live.onAbort(id, answer.abort);
    if (this.#hears(stream, answer)) stream.carry(carrier, Promise.resolve(reader));
    else this.#session.abortLost(stream);
  }

  async #acceptCarriers(): Promise<void> {
    for await (const carrier of this.peer.streams()) {
      if (this.#stopped) return;
      void this.#guard(this.#accept(carrier));
    }
  }

  async #accept(carrier: SttStream): Promise<void> {
    const reader = new BlockReader(carrier);
    const block = await reader.block();
    if (block === null || this.#stopped) return;
    const opening = decodeOpening(block);
    const stream = this.#session.live.incoming(opening);
    if (stream === undefined) {
      return refuse(carrier, this.#session.live.codeOf(opening.stream));
    }
    if (this.#hears(stream, opening)) {
      // The first thing on its carrier, before the stream's own bytes.
      carrier.tryWrite(encodeAnswer(stream.word(this.#peerKeeps)));
      stream.carry(carrier, Promise.resolve(reader));
    } else {
      this.#session.live.onAbort(stream.id, CODE_LOST);
      refuse(carrier, CODE_LOST);
    }
  }

  /** False where one side has lost what the other needs: that stream is over, the others go on. */
  #hears(stream: ResumableStream, word: CarrierWord): boolean {
    try {
      stream.hear(word);
      return true;
    } catch (error) {
      if (!(error instanceof SttError) || error.code !== "SESSION") throw error;
      stream.fail(error);
      return false;
    }
  }

  async #readControl(reader: BlockReader): Promise<void> {
    for (let block = await reader.block(); block !== null; block = await reader.block()) {
      if (this.#stopped) return;
      this.#onControl(decodeControl(block));
    }
  }

  #onControl(block: ControlBlock): void {
    const { live } = this.#session;
    switch (block.type) {
      case "confirm":
        return block.confirmations.forEach(({ stream, offset, ended }) =>
          live.get(stream)?.confirmed(offset, ended)
        );
      case "done":
        return block.streams.forEach((id) => live.onDone(id));
      case "abort":
        live.onAbort(block.stream, block.code);
        if (this.#blocks.length >= UNREAD_MAX) {
          throw new SttError("PROTOCOL", "cannot go on: the peer reads no answers to its aborts");
        }
        return this.#queue({ type: "aborted", stream: block.stream });
      case "aborted":
        return live.onAborted(block.stream);
      case "bye":
        return this.#session.onBye();
    }
  }

  async #writeControl(control: SttStream): Promise<void> {
    while (!this.#stopped && !this.#ended) {
      const blocks = this.#outgoing();
      if (blocks.length === 0) await this.#work.wait();
      for (const block of blocks) await control.write(encodeControl(block), { own: true });
    }
  }

  /** What there is to say now; whatever comes while it is written is said together afterwards. */
  #outgoing(): Outgoing[] {
    const blocks = this.#blocks.splice(0);
    const confirmations: Confirmation[] = [];
    for (const stream of this.#progressed) {
      const news = stream.news();
      if (news !== undefined) confirmations.push({ stream: stream.id, ...news });
    }
    this.#progressed.clear();
    for (let at = 0; at < confirmations.length; at += CONFIRMS_PER_BLOCK) {
      const part = confirmations.slice(at, at + CONFIRMS_PER_BLOCK);
      blocks.push({ type: "confirm", confirmations: part });
    }
    if (this.#done.length > 0) blocks.push({ type: "done", streams: this.#done.splice(0, 256) });
    return blocks;
  }

  #queue(block: Outgoing): void {
    this.#blocks.push(block);
    this.#work.wake();
  }

  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#onError(error);
    }
  }

  /** The end of the session ends everything here, silently; a peer that breaks the rules ends all of it. */
  #onError(error: unknown): void {
    if (!(error instanceof SttError)) throw error;
    if (!this.#stopped && !this.#ended && error.code === "PROTOCOL") this.#session.fail(error);
  }
}

function refuse(carrier: SttStream, code: number): void {
  carrier.tryWrite(encodeAnswer({ abort: code }));
  carrier.end().catch(() => undefined);
  carrier.stop(code);
}
