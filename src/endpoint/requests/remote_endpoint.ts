/**
 * A named endpoint of a peer, as whoever asks it sees it.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { checkBytes } from "../bytes.ts";
import { type ExchangePlan, Replies, type StreamOpener } from "./exchange.ts";
import type { Items } from "./items.ts";
import { pause } from "../wait.ts";
import { retriesOf, type RetryPolicy } from "./retry.ts";
import { nameFault } from "./wire.ts";

/** Milliseconds that a request may take unless it says something else. */
export const DEFAULT_TIMEOUT_MS = 30_000;
/** Largest item taken unless the application says something else. */
export const DEFAULT_MAX_ITEM = 1_048_576;

/** Options of {@link RemoteEndpoint.exchange}. */
export interface ExchangeOptions {
  /**
   * Milliseconds for the whole exchange, opening the stream and the last item included; the peer is told how many are
   * left. 0 for any time. Default 30000.
   */
  readonly timeout?: number;
  /** Largest item of the reply taken, in bytes; up to so much is held. Default 1048576. */
  readonly maxItem?: number;
  /** 0 to 1000, default 500: from 667 on high, up to 333 low. */
  readonly priority?: number;
  /** Cancels: the peer's handler sees its signal aborted, and this side throws the reason. */
  readonly signal?: AbortSignal;
}

/** Options of {@link RemoteEndpoint.request}. */
export interface RequestOptions extends ExchangeOptions {
  /**
   * Asking twice does no more than asking once, so that a transient failure is asked again, within `timeout`. Default
   * false: never twice.
   */
  readonly idempotent?: boolean | RetryPolicy;
}

/**
 * An endpoint of a peer. Every request has a stream of its own: none waits for another.
 *
 * @example
 * ```ts
 * import { connect, Endpoints, generateSeed, listen } from "@seigr/stt";
 * const seed = generateSeed();
 * const listener = await listen("mem:endpoint-example", { seed });
 * const endpoints = new Endpoints();
 * endpoints.register("upper", async (request) => {
 *   const text = new TextDecoder().decode(await request.body());
 *   return new TextEncoder().encode(text.toUpperCase());
 * });
 * listener.on("peer", (peer) => void endpoints.serve(peer));
 *
 * const peer = await connect("mem:endpoint-example", { seed });
 * const reply = await peer.endpoint("upper").request(new TextEncoder().encode("hello"));
 * console.log(new TextDecoder().decode(reply)); // HELLO
 * await peer.close();
 * await listener.close();
 * ```
 */
export class RemoteEndpoint {
  /** Its name at the peer. */
  readonly name: string;
  readonly #opener: StreamOpener;

  /** Use `peer.endpoint(name)`. @throws {SttError} CONFIG for a name that no endpoint can have. */
  constructor(opener: StreamOpener, name: string) {
    const fault = nameFault(name);
    if (fault !== undefined) throw new SttError("CONFIG", `cannot name endpoint: ${fault}`);
    this.#opener = opener;
    this.name = name;
  }

  /**
   * Sends one item and resolves with the one item of the reply.
   *
   * @throws {SttError} `DEADLINE`; `NO_ENDPOINT`, `REFUSED`, `BUSY`, `INTERNAL` of the peer (`remote` tells);
   *   `APPLICATION` with the handler's own code in `wire`; `PROTOCOL` when the reply is not one item; `BUFFER_EXCEEDED`
   *   for an item that is too large for its receiver; `CONFIG`; what ended the session; the signal's reason.
   *   {@link classifyFailure} sorts them.
   */
  async request(body: Uint8Array, options: RequestOptions = {}): Promise<Uint8Array> {
    const { idempotent = false } = options;
    checkBytes(body, `request ${JSON.stringify(this.name)}`);
    if (idempotent === false) {
      return await this.#once(body, exchangePlan(this.name, options));
    }
    const retries = retriesOf(idempotent === true ? {} : idempotent);
    const plan = exchangePlan(this.name, options);
    const end = performance.now() + (plan.timeout === 0 ? Infinity : plan.timeout);
    for (let failed = 0;;) {
      const left = end - performance.now();
      try {
        return await this.#once(body, {
          ...plan,
          timeout: plan.timeout === 0 ? 0 : Math.max(1, left),
        });
      } catch (error) {
        const delay = retries.again(error, ++failed) ? retries.delay(failed) : Infinity;
        // A pause beyond the deadline would only turn this error into another one, later.
        if (performance.now() + delay >= end || delay === Infinity) throw error;
        await pause(delay, plan.signal);
      }
    }
  }

  /**
   * Sends items as they come and gives the items of the reply as they come. Both directions go on at once, and each is
   * slowed down by its reader. The request leaves at once, whether or not the replies are read.
   *
   * @param items An array or another iterable, an async one, or a ReadableStream.
   * @throws {SttError} `CONFIG` for wrong options. What goes wrong later is thrown where the replies are read.
   *
   * @example
   * ```ts
   * import { connect, Endpoints, generateSeed, listen } from "@seigr/stt";
   * const seed = generateSeed();
   * const listener = await listen("mem:exchange-example", { seed });
   * const endpoints = new Endpoints();
   * endpoints.register("doubled", async function* (request) {
   *   for await (const [byte = 0] of request) yield Uint8Array.of(2 * byte);
   * });
   * listener.on("peer", (peer) => void endpoints.serve(peer));
   *
   * const peer = await connect("mem:exchange-example", { seed });
   * const numbers = [1, 2, 3].map((n) => Uint8Array.of(n));
   * for await (const [n] of peer.endpoint("doubled").exchange(numbers)) console.log(n); // 2, 4, 6
   * await peer.close();
   * await listener.close();
   * ```
   */
  exchange(items: Items, options: ExchangeOptions = {}): Replies {
    return new Replies(this.#opener, items, exchangePlan(this.name, options));
  }

  #once(body: Uint8Array, plan: ExchangePlan): Promise<Uint8Array> {
    return onlyItem(new Replies(this.#opener, [body], plan), this.name);
  }
}

/** @throws {SttError} CONFIG for options out of range. */
export function exchangePlan(name: string, options: ExchangeOptions): ExchangePlan {
  const { timeout = DEFAULT_TIMEOUT_MS, maxItem = DEFAULT_MAX_ITEM } = options;
  if (!(timeout >= 0)) {
    throw new SttError("CONFIG", `cannot use option timeout: ${timeout} is not 0 or above`);
  }
  return {
    name,
    timeout: timeout === Infinity ? 0 : timeout,
    maxItem: checkCount("maxItem", maxItem, 0),
    priority: options.priority,
    signal: options.signal,
  };
}

/** The one item that a reply is. @throws {SttError} PROTOCOL when it is none or more. */
export async function onlyItem(replies: Replies, name: string): Promise<Uint8Array> {
  const reply = await replies.next();
  if (reply !== null && await replies.next() === null) return reply;
  replies.cancel();
  const what = reply === null ? "no item" : "more than one item";
  throw new SttError("PROTOCOL", `cannot request ${JSON.stringify(name)}: the reply is ${what}`);
}

/** @throws {SttError} CONFIG naming the option and its least value. */
export function checkCount(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new SttError("CONFIG", `cannot use option ${name}: ${value} is not ${least} or above`, {
    limit: least,
  });
}
