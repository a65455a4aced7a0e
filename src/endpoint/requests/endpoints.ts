/**
 * The named endpoints that this side answers.
 *
 * @module
 */
import { type ErrorCode, SttError } from "../../errors.ts";
import type { EventReader, EventReaderOptions, NamedEvent } from "../event_reader.ts";
import type { Peer } from "../peer.ts";
import type { SttStream } from "../stt_stream.ts";
import { type ListenerOptions, TypedEvents } from "../typed_events.ts";
import { MAX_TIMER_MS } from "../clock.ts";
import { answer, type Ending, type RequestHandler, tell } from "./answering.ts";
import { PartReader } from "./part_reader.ts";
import { Places } from "./places.ts";
import { checkCount, DEFAULT_MAX_ITEM } from "./remote_endpoint.ts";
import { decodeRequestHeader, nameFault, type RequestHeader } from "./wire.ts";

const DEFAULT_MAX_PER_PEER = 64;
const DEFAULT_MAX_REQUESTS = 1024;
const DEFAULT_HEADER_TIMEOUT_MS = 10_000;
const DEFAULT_ABANDON_AFTER_MS = 10_000;
const DEFAULT_MAX_ABANDONED = 256;

/** Options of {@link Endpoints}. */
export interface EndpointsOptions {
  /** Requests of one peer that are answered at once; further ones get BUSY. 1 and above. Default 64. */
  readonly maxPerPeer?: number;
  /** Requests of all peers that are answered at once. 1 and above. Default 1024. */
  readonly maxRequests?: number;
  /** Largest item of a request taken, in bytes; up to so much is held for each. Default 1048576. */
  readonly maxItem?: number;
  /** Milliseconds for the header of a request, from the opening of its stream on. Default 10000. */
  readonly headerTimeout?: number;
  /**
   * Milliseconds after which a handler that goes on although its signal was aborted loses its place among `maxPerPeer` and
   * `maxRequests` to another request. 1 and above. Default 10000.
   */
  readonly abandonAfter?: number;
  /** Handlers that may run without a place at once; further ones keep theirs. 0: all do. Default 256. */
  readonly maxAbandoned?: number;
}

/** Options of {@link Endpoints.register}. */
export interface RegisterOptions {
  /** Which peers may ask; others get REFUSED. Default: all. */
  readonly accept?: (peer: Peer) => boolean;
}

/** Options of {@link Endpoints.serve}. */
export interface ServeOptions {
  /** Ends serving; requests under way get BUSY, and their handlers' signals are aborted. The session stays. */
  readonly signal?: AbortSignal;
  /**
   * Takes the byte streams of the peer that are no requests, whole: files (`receiveFile`), or the application's own.
   * Default: they are refused.
   */
  readonly otherStream?: (stream: SttStream) => void;
}

/** Events of {@link Endpoints}. */
export interface EndpointsEvents {
  /** A request has ended, well (`code` undefined) or with a code. */
  readonly request: {
    readonly peer: Peer;
    readonly endpoint: string;
    readonly ms: number;
    readonly code: ErrorCode | undefined;
  };
  /** A handler that ignores its signal has lost its place, and still runs. */
  readonly abandoned: { readonly peer: Peer; readonly endpoint: string };
  /** A handler threw what the asker is not told. */
  readonly failure: { readonly peer: Peer; readonly endpoint: string; readonly error: unknown };
}

/** Counters of {@link Endpoints}. */
export interface EndpointsStats {
  /** Requests that are being answered now. */
  readonly running: number;
  /** Handlers that still run although nobody waits for them, and have lost their places (`abandonAfter`). */
  readonly abandoned: number;
  /** Requests that were answered, ever. */
  readonly answered: number;
  /** Requests that ended otherwise, by code, ever. */
  readonly failed: Readonly<Partial<Record<ErrorCode, number>>>;
}

interface Registered {
  readonly handler: RequestHandler;
  readonly accept: ((peer: Peer) => boolean) | undefined;
}

interface Session {
  readonly peer: Peer;
  /** Told when this side answers no more. One signal with a listener for each request would be one too many for Node. */
  readonly stops: Set<(reason: SttError) => void>;
  readonly otherStream: ((stream: SttStream) => void) | undefined;
  /** Set once this side answers no more: headers may still be on their way. */
  stopped: SttError | undefined;
  running: number;
}

/**
 * Named endpoints, and the peers that may ask them.
 *
 * @example
 * ```ts
 * import { connect, Endpoints, generateSeed, listen, SttError } from "@seigr/stt";
 * const seed = generateSeed();
 * const endpoints = new Endpoints({ maxPerPeer: 16 });
 * endpoints.register("sensor/1", () => Uint8Array.of(21));
 * endpoints.register("sensor/2", () => {
 *   throw new SttError("APPLICATION", "the battery is empty", { wire: 0x101 });
 * });
 * const listener = await listen("mem:endpoints-example", { seed });
 * listener.on("peer", (peer) => void endpoints.serve(peer));
 *
 * const peer = await connect("mem:endpoints-example", { seed });
 * console.log(await peer.endpoint("sensor/1").request(new Uint8Array())); // Uint8Array(1) [ 21 ]
 * await peer.endpoint("sensor/2").request(new Uint8Array()).catch((error) => {
 *   console.log(error.code, error.wire); // APPLICATION 257
 * });
 * await peer.close();
 * await listener.close();
 * ```
 */
export class Endpoints {
  readonly #registered: Map<string, Registered> = new Map();
  readonly #events: TypedEvents<EndpointsEvents> = new TypedEvents();
  readonly #serving: WeakSet<Peer> = new WeakSet();
  readonly #places: Places;
  readonly #maxItem: number;
  readonly #headerTimeout: number;
  readonly #failed: Map<ErrorCode, number> = new Map();
  #answered = 0;

  /** No names yet. @throws {SttError} CONFIG naming the option and its range. */
  constructor(options: EndpointsOptions = {}) {
    const { maxPerPeer = DEFAULT_MAX_PER_PEER, maxRequests = DEFAULT_MAX_REQUESTS } = options;
    const { maxItem = DEFAULT_MAX_ITEM, headerTimeout = DEFAULT_HEADER_TIMEOUT_MS } = options;
    const { abandonAfter = DEFAULT_ABANDON_AFTER_MS, maxAbandoned = DEFAULT_MAX_ABANDONED } =
      options;
    this.#places = new Places({
      maxPerPeer: checkCount("maxPerPeer", maxPerPeer, 1),
      maxRequests: checkCount("maxRequests", maxRequests, 1),
      abandonAfter: Math.min(checkCount("abandonAfter", abandonAfter, 1), MAX_TIMER_MS),
      maxAbandoned: checkCount("maxAbandoned", maxAbandoned, 0),
    });
    this.#maxItem = checkCount("maxItem", maxItem, 0);
    this.#headerTimeout = checkCount("headerTimeout", headerTimeout, 1);
  }

  /** The names that are registered, in that order. */
  get names(): readonly string[] {
    return [...this.#registered.keys()];
  }

  /**
   * Answers a name from now on; returns a function that ends that.
   *
   * @param name 1 to 255 bytes of UTF-8 without control characters.
   * @throws {SttError} CONFIG for another name, or one that is registered.
   */
  register(name: string, handler: RequestHandler, options: RegisterOptions = {}): () => void {
    const fault = nameFault(name);
    if (fault !== undefined) throw new SttError("CONFIG", `cannot register endpoint: ${fault}`);
    if (this.#registered.has(name)) {
      throw new SttError("CONFIG", `cannot register ${JSON.stringify(name)}: it is registered`);
    }
    const registered = { handler, accept: options.accept };
    this.#registered.set(name, registered);
    return () => {
      if (this.#registered.get(name) === registered) this.#registered.delete(name);
    };
  }

  /** Ends a name; false when nobody had registered it. Requests under way are answered. */
  unregister(name: string): boolean {
    return this.#registered.delete(name);
  }

  /**
   * Answers the requests of a peer. It takes the byte streams that the peer opens, so let nobody else accept them. Resolves
   * when the session has ended, however it ended, or the signal is aborted; never rejects once it has begun.
   *
   * @throws {SttError} CONFIG when this peer is being served.
   */
  async serve(peer: Peer, options: ServeOptions = {}): Promise<void> {
    if (this.#serving.has(peer)) {
      throw new SttError("CONFIG", `cannot serve ${peer.id}: it is being served`);
    }
    this.#serving.add(peer);
    const { signal, otherStream } = options;
    const stop = new AbortController();
    const stops: Session["stops"] = new Set();
    const onAbort = (): void => {
      const reason = new SttError("BUSY", "the endpoints of this peer were stopped");
      session.stopped = reason;
      stop.abort(reason);
      for (const stopped of [...stops]) stopped(reason);
    };
    const session: Session = { peer, stops, otherStream, stopped: undefined, running: 0 };
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      for (;;) {
        const stream = await peer.acceptStream({ signal: stop.signal });
        if (stream === null) return;
        void this.#take(session, stream);
      }
    } catch (error) {
      if (!(error instanceof SttError)) throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#serving.delete(peer);
    }
  }

  /** Adds a listener of an event; returns a function that removes it. */
  on<Name extends keyof EndpointsEvents>(
    name: Name,
    listener: (detail: EndpointsEvents[Name]) => void,
    options?: ListenerOptions,
  ): () => void {
    return this.#events.on(name, listener, options);
  }

  /** Events of these names, or of all, as an async iterator: {@link TypedEvents.events}. */
  events<Name extends keyof EndpointsEvents = keyof EndpointsEvents>(
    names?: readonly Name[],
    options?: EventReaderOptions,
  ): EventReader<NamedEvent<EndpointsEvents, Name>> {
    return this.#events.events(names, options);
  }

  /** Counters. */
  stats(): EndpointsStats {
    return {
      running: this.#places.running,
      abandoned: this.#places.abandoned,
      answered: this.#answered,
      failed: Object.fromEntries(this.#failed),
    };
  }

  async #take(session: Session, stream: SttStream): Promise<void> {
    const reader = new PartReader(stream, this.#maxItem);
    const { otherStream } = session;
    let header: RequestHeader | undefined;
    try {
      header = await this.#header(reader, session);
    } catch (error) {
      const { code } = tell(stream, error);
      this.#count(error instanceof SttError ? error.code : code);
      return;
    }
    if (header !== undefined) return await this.#answer(session, stream, reader, header);
    if (otherStream === undefined) {
      this.#count(tell(stream, new SttError("PROTOCOL", "the stream is no request")).code);
      return;
    }
    reader.unread();
    otherStream(stream);
  }

  /** Undefined for a stream that is no request. */
  async #header(reader: PartReader, session: Session): Promise<RequestHeader | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new AbortController();
    try {
      const taken = await reader.begin("request", () => {
        const expire = (): void =>
          late.abort(
            new SttError("DEADLINE", `no request within ${this.#headerTimeout} ms`),
          );
        timer ??= setTimeout(expire, Math.min(this.#headerTimeout, MAX_TIMER_MS));
        return late.signal;
      });
      if (taken === undefined) return undefined;
      const header = decodeRequestHeader(taken.block);
      reader.skip(taken.size);
      return header;
    } catch (error) {
      if (error instanceof SttError && error.code === "UNSUPPORTED") return undefined;
      // The application's own streams may be silent at first.
      if (late.signal.aborted && reader.undecided && session.otherStream !== undefined) {
        return undefined;
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #answer(
    session: Session,
    stream: SttStream,
    reader: PartReader,
    header: RequestHeader,
  ): Promise<void> {
    const { peer } = session;
    const since = performance.now();
    const registered = this.#registered.get(header.to);
    let ending: Ending;
    try {
      const { handler } = this.#admit(session, header, registered);
      const place = this.#places.take(session, () => {
        this.#events.emit("abandoned", { peer, endpoint: header.to });
      });
      const onStop = (stopped: (reason: SttError) => void): () => void => {
        session.stops.add(stopped);
        return () => void session.stops.delete(stopped);
      };
      ending = await answer({ peer, stream, reader, header, handler, onStop, place });
    } catch (error) {
      ending = tell(stream, error);
    }
    const { code, error } = ending;
    this.#count(code);
    const endpoint = header.to;
    this.#events.emit("request", { peer, endpoint, ms: performance.now() - since, code });
    if (code === "INTERNAL") this.#events.emit("failure", { peer, endpoint, error });
  }

  #admit(
    session: Session,
    { to }: RequestHeader,
    registered: Registered | undefined,
  ): Registered {
    if (session.stopped !== undefined) throw session.stopped;
    if (registered === undefined) {
      throw new SttError("NO_ENDPOINT", `no endpoint ${JSON.stringify(to)} is here`);
    }
    // Only `true` is a yes, as in the listener's hook: a promise of one lets nobody in.
    if (registered.accept !== undefined && registered.accept(session.peer) !== true) {
      throw new SttError("REFUSED", `this peer may not ask ${JSON.stringify(to)}`);
    }
    if (!this.#places.hasRoom(session)) {
      throw new SttError("BUSY", "too many requests are being answered");
    }
    return registered;
  }

  #count(code: ErrorCode | undefined): void {
    if (code === undefined) this.#answered++;
    else this.#failed.set(code, (this.#failed.get(code) ?? 0) + 1);
  }
}
