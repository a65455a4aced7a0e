/**
 * One request as its asker sees it: items go out, replies come in, and both end together.
 *
 * @module
 */
import { ERRORS, SttError } from "../../errors.ts";
import { MAX_TIMER_MS } from "../clock.ts";
import type { OpenStreamOptions } from "../peer_options.ts";
import type { SttStream } from "../stt_stream.ts";
import { errorOfFailure, explained } from "./failures.ts";
import { type Items, readableOfItems, untilAborted } from "./items.ts";
import { PartReader } from "./part_reader.ts";
import { decodeFailure, encodeItem, encodeRequestHeader } from "./wire.ts";

/** What an exchange needs of a session. */
export interface StreamOpener {
  /** As `Peer.openStream`. */
  openStream(options?: OpenStreamOptions): Promise<SttStream>;
  /** As `Peer.on`. */
  on(name: "close", listener: () => void): () => void;
}

/** What was decided about an exchange before it begins. */
export interface ExchangePlan {
  readonly name: string;
  /** Milliseconds, 0 for any. */
  readonly timeout: number;
  /** Largest reply item. */
  readonly maxItem: number;
  readonly priority: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Told once how it ended: whole, or with an error. */
  readonly onEnd?: (error: unknown) => void;
}

/**
 * The replies to a request, one item after the other. Who leaves the loop early, or calls `cancel`, cancels the request.
 */
export class Replies implements AsyncIterable<Uint8Array> {
  readonly #attempt: string;
  readonly #plan: ExchangePlan;
  /** Aborted when the exchange is over for a reason of this side. */
  readonly #over: AbortController = new AbortController();
  readonly #started: Promise<PartReader>;
  #stream: SttStream | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #forgetSession: () => void;
  #uploaded = false;
  /** Set once there is nothing more to come. */
  #end: { readonly error: unknown } | "whole" | undefined;
  #readable: ReadableStream<Uint8Array> | undefined;

  /** Replies come from {@link RemoteEndpoint.exchange}. */
  constructor(opener: StreamOpener, items: Items, plan: ExchangePlan) {
    this.#plan = plan;
    this.#attempt = `cannot request ${JSON.stringify(plan.name)}`;
    const { signal, timeout } = plan;
    if (signal?.aborted === true) this.#over.abort(signal.reason);
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (timeout > 0) {
      this.#timer = setTimeout(() => {
        this.#abort(new SttError("DEADLINE", `${this.#attempt}: ${timeout} ms are over`));
      }, Math.min(timeout, MAX_TIMER_MS));
    }
    // What had arrived can still be read, but nothing more will: no timer outlives the session.
    this.#forgetSession = opener.on("close", () => clearTimeout(this.#timer));
    this.#started = this.#start(opener, items);
    // Whoever reads is told; nobody has to.
    this.#started.catch((error) => this.#settle({ error }));
  }

  readonly #onAbort = (): void => this.#abort(this.#plan.signal?.reason);

  /**
   * The next item, or null when the reply is whole.
   *
   * @throws {SttError} what the request failed with (see {@link RemoteEndpoint.request}); the signal's reason.
   */
  async next(): Promise<Uint8Array | null> {
    if (this.#end === "whole") return null;
    if (this.#end !== undefined) throw this.#end.error;
    try {
      return await this.#next(await this.#started);
    } catch (error) {
      const told = this.#over.signal.aborted
        ? this.#over.signal.reason
        : explained(error, this.#attempt);
      this.#settle({ error: told });
      throw told;
    }
  }

  /** Gives up: the peer is told, and what is read from now on throws the reason, by default an error CANCELLED. */
  cancel(reason?: unknown): void {
    const cancelled = `${this.#attempt}: it was cancelled here`;
    this.#abort(reason ?? new SttError("CANCELLED", cancelled));
  }

  /** The replies as a Web Stream; use it or `next`, not both. Cancelling it cancels the request. */
  get readable(): ReadableStream<Uint8Array> {
    this.#readable ??= readableOfItems(() => this.next(), () => this.cancel());
    return this.#readable;
  }

  /** Items until the reply is whole; leaving the loop early cancels the request. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (let item = await this.next(); item !== null; item = await this.next()) yield item;
    } finally {
      this.cancel();
    }
  }

  async #start(opener: StreamOpener, items: Items): Promise<PartReader> {
    const { name, timeout, priority, maxItem } = this.#plan;
    const { signal } = this.#over;
    const since = performance.now();
    signal.throwIfAborted();
    const stream = await opener.openStream({
      signal,
      ...(priority === undefined ? {} : { priority }),
    });
    this.#stream = stream;
    if (signal.aborted) this.#giveUp(signal.reason);
    signal.throwIfAborted();
    // The clocks of two nodes differ, so what travels is how much time is left.
    const left = Math.max(1, Math.ceil(timeout - (performance.now() - since)));
    const header = encodeRequestHeader({ to: name, ...(timeout > 0 ? { deadline: left } : {}) });
    this.#upload(stream, header, items).catch((error) => this.#abort(error));
    return new PartReader(stream, maxItem);
  }

  async #upload(stream: SttStream, header: Uint8Array, items: Items): Promise<void> {
    const { signal } = this.#over;
    try {
      if (Array.isArray(items) && items.length > 0) {
        let head: Uint8Array = header;
        for (const item of items) {
          const part = encodeItem(checkedItem(item));
          await stream.write(head.length === 0 ? part : joined(head, part), { own: true, signal });
          head = part.subarray(0, 0);
        }
      } else {
        // A source may be silent for long: the peer gets to know of the request before.
        await stream.write(header, { own: true, signal });
        for await (const item of untilAborted(items, signal)) {
          await stream.write(encodeItem(checkedItem(item)), { own: true, signal });
        }
      }
      this.#uploaded = true;
      stream.end().catch(() => undefined);
    } catch (error) {
      // The reply says why the peer reads no more; when the session ended, reading tells.
      if (signal.aborted || (error instanceof SttError && error.code !== "CONFIG")) return;
      throw error;
    }
  }

  async #next(reader: PartReader): Promise<Uint8Array | null> {
    const { signal } = this.#over;
    signal.throwIfAborted();
    const part = await reader.part(signal);
    if (part === "failure") {
      const failure = decodeFailure(await reader.block("failure", signal));
      throw errorOfFailure(failure, this.#attempt);
    }
    if (part === null) this.#settle("whole");
    return part;
  }

  #abort(reason: unknown): void {
    if (this.#end !== undefined || this.#over.signal.aborted) return;
    this.#over.abort(reason);
    this.#settle({ error: reason });
  }

  #settle(end: { readonly error: unknown } | "whole"): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    clearTimeout(this.#timer);
    this.#forgetSession();
    this.#plan.onEnd?.(end === "whole" ? undefined : end.error);
    this.#plan.signal?.removeEventListener("abort", this.#onAbort);
    if (end === "whole") {
      // An answer before the end of the question: nobody reads the rest.
      if (!this.#uploaded) this.#stream?.reset(ERRORS.CANCELLED.wire as number);
      this.#over.abort(new SttError("STREAM_CLOSED", `${this.#attempt}: it is answered`));
    } else {
      this.#giveUp(end.error);
      this.#over.abort(end.error);
    }
  }

  /** Nothing happens to a stream that is over. */
  #giveUp(error: unknown): void {
    const late = error instanceof SttError && error.code === "DEADLINE";
    const code = ERRORS[late ? "DEADLINE" : "CANCELLED"].wire as number;
    this.#stream?.reset(code);
    this.#stream?.stop(code);
  }
}

function checkedItem(item: unknown): Uint8Array {
  if (item instanceof Uint8Array) return item;
  throw new SttError("CONFIG", `cannot send item of a request: ${typeof item} is no Uint8Array`);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
