/**
 * One request as its handler sees it.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import { explained } from "./failures.ts";
import { readableOfItems } from "./items.ts";
import type { PartReader } from "./part_reader.ts";
import type { RequestHeader } from "./wire.ts";

/** A request that a handler answers. Iterate it for its items, or take the one item with `body()`. */
export class IncomingRequest implements AsyncIterable<Uint8Array> {
  /** Who asks. */
  readonly peer: Peer;
  /** Name of the endpoint, as it was asked for. */
  readonly endpoint: string;
  /** Milliseconds that the answer may take from the request's arrival on, or undefined for any. */
  readonly deadline: number | undefined;
  /**
   * Aborted with an {@link SttError} when nobody waits for the answer any more: `DEADLINE`, `CANCELLED`, or what ended the
   * session. Not aborted by an answer that went well.
   */
  readonly signal: AbortSignal;
  readonly #reader: PartReader;
  #readable: ReadableStream<Uint8Array> | undefined;

  /** Requests come to the handlers of {@link Endpoints}. */
  constructor(peer: Peer, header: RequestHeader, reader: PartReader, signal: AbortSignal) {
    this.peer = peer;
    this.endpoint = header.to;
    this.deadline = header.deadline;
    this.signal = signal;
    this.#reader = reader;
  }

  /**
   * The one item of the request.
   *
   * @throws {SttError} `PROTOCOL` when there is none or more than one, `BUFFER_EXCEEDED` when it is larger than `maxItem`,
   *   or why the signal is aborted. Uncaught, the asker is told of it.
   */
  async body(): Promise<Uint8Array> {
    const item = await this.next();
    if (item !== null && await this.next() === null) return item;
    throw new SttError(
      "PROTOCOL",
      `the request is ${item === null ? "no item" : "more than one item"}, one is expected`,
    );
  }

  /** The next item, or null behind the last one. @throws {SttError} as {@link IncomingRequest.body}. */
  async next(): Promise<Uint8Array | null> {
    this.signal.throwIfAborted();
    try {
      const part = await this.#reader.part(this.signal);
      if (part !== "failure") return part;
    } catch (error) {
      this.signal.throwIfAborted();
      throw explained(error, `cannot read request to ${JSON.stringify(this.endpoint)}`);
    }
    throw new SttError("PROTOCOL", "cannot decode request: only replies have failures");
  }

  /** The items as a Web Stream; use it or `next`, not both. */
  get readable(): ReadableStream<Uint8Array> {
    this.#readable ??= readableOfItems(() => this.next(), () => undefined);
    return this.#readable;
  }

  /** Items until the end of the request. Leaving the loop early does not end the request. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for (let item = await this.next(); item !== null; item = await this.next()) yield item;
  }
}
