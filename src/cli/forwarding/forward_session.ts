/**
 * The forwarding service of one session, on either side (SPEC 12.11).
 *
 * @module
 */
import type { Socket } from "node:net";
import { BlockStream } from "../../endpoint/files/block_stream.ts";
import type { Peer } from "../../endpoint/peer.ts";
import type { SttStream } from "../../endpoint/stt_stream.ts";
import { SttError } from "../../errors.ts";
import { Carrier, resetSocket } from "./carrier.ts";
import { AllowList, type Forward, type Place, placeText } from "./rules.ts";
import { connectTo, openPort, type TcpPort } from "./tcp_port.ts";
import {
  decodeAnswer,
  decodeRequest,
  encodeNo,
  encodeRequest,
  encodeYes,
  FORWARD_REFUSALS,
  type ForwardRefusal,
  type ForwardRequest,
  plainError,
} from "./wire.ts";

/** What the peer of a session may ask for, and ports that are held for peers; shared by all sessions of a listener. */
export class ForwardPolicy {
  /** Places that it may have connections to. */
  readonly connect: AllowList;
  /** Ports that it may have listened on. */
  readonly bind: AllowList;
  /** Connections of one session at once. */
  readonly connections: number;
  readonly #ports: Map<string, { readonly nodeId: string; release(): Promise<void> }> = new Map();

  constructor(connect: AllowList, bind: AllowList, connections: number) {
    this.connect = connect;
    this.bind = bind;
    this.connections = connections;
  }

  /** A node that comes back takes its port over from its session of before, which nobody may have missed yet. */
  async claim(place: Place, nodeId: string, release: () => Promise<void>): Promise<() => void> {
    const key = placeText(place);
    const before = this.#ports.get(key);
    const entry = { nodeId, release };
    if (place.port === 0) return () => undefined;
    // Whose port it is goes on to be known, whoever else asks for it.
    if (before !== undefined && before.nodeId !== nodeId) return () => undefined;
    await before?.release();
    this.#ports.set(key, entry);
    return () => {
      if (this.#ports.get(key) === entry) this.#ports.delete(key);
    };
  }
}

/** Nothing is allowed: of a side that only asks. */
export function askingOnly(connections: number): ForwardPolicy {
  return new ForwardPolicy(new AllowList([]), new AllowList([]), connections);
}

/** A connection that was not carried to its end. */
export interface ForwardFailure {
  /** `host:port`, of the target or of the port that it came to. */
  readonly place: string;
  readonly error: SttError;
}

/** Carries the connections of one session. */
export class ForwardSession {
  readonly #peer: Peer;
  readonly #policy: ForwardPolicy;
  readonly #onFailure: (failure: ForwardFailure) => void;
  readonly #over: AbortController = new AbortController();
  readonly #ports: Set<TcpPort> = new Set();
  /** Targets of this side's `listenThere`, by the stream that asked. */
  readonly #targets: Map<number, Place> = new Map();
  #active = 0;

  constructor(peer: Peer, policy: ForwardPolicy, onFailure: (failure: ForwardFailure) => void) {
    this.#peer = peer;
    this.#policy = policy;
    this.#onFailure = onFailure;
  }

  /** Serves what the peer asks for until the session ends, and rejects with what ended it. */
  async serve(signal: AbortSignal): Promise<void> {
    try {
      for await (const stream of this.#peer.streams({ signal })) void this.#answer(stream);
    } finally {
      this.#over.abort(new SttError("CLOSED", "the session has ended"));
      for (const port of this.#ports) void port.close();
    }
  }

  /** Carries a connection of this side to a place that the peer reaches. */
  carry(socket: Socket, place: Place): Promise<void> {
    return this.#open(socket, { type: "connect", place }, placeText(place));
  }

  /**
   * Has the peer listen, and carries what comes there to a place that this side reaches.
   *
   * @return The port that the peer chose, where 0 was asked for.
   * @throws {SttError} The peer's refusal, or what ended the session.
   */
  async listenThere({ listen, target }: Forward): Promise<Place> {
    const { signal } = this.#over;
    const stream = await this.#peer.openStream({ signal });
    const blocks = new BlockStream(stream, signal);
    this.#targets.set(stream.id, target);
    try {
      await blocks.write(encodeRequest({ type: "listen", place: listen }));
      return { host: listen.host, port: decodeAnswer(await blocks.block()) };
    } catch (error) {
      this.#targets.delete(stream.id);
      const { code, message, wire } = plainError(error);
      const attempt = `cannot have ${placeText(listen)} of the peer forwarded`;
      throw new SttError(code, `${attempt}: ${message}`, {
        remote: true,
        ...(wire === null ? {} : { wire }),
      });
    }
  }

  async #open(socket: Socket, request: ForwardRequest, place: string): Promise<void> {
    if (this.#active >= this.#policy.connections) {
      resetSocket(socket);
      return this.#fail(place, new SttError("BUSY", "too many connections at once"));
    }
    this.#active++;
    let carrier: Carrier | undefined;
    try {
      const { signal } = this.#over;
      const stream = await this.#peer.openStream({ signal });
      const blocks = new BlockStream(stream, undefined);
      stream.tryWrite(encodeRequest(request), true);
      // What the program sends first goes with the request.
      carrier = new Carrier(socket, blocks);
      const answer = blocks.block().then(decodeAnswer);
      answer.catch(() => undefined);
      // A refusal comes as the answer and as the code of a STOP, whichever is seen first.
      await Promise.race([answer, carrier.done]);
      carrier.begin();
      await carrier.done;
    } catch (error) {
      carrier?.fail(error);
      resetSocket(socket);
      this.#fail(place, plainError(error));
    } finally {
      this.#active--;
    }
  }

  /** Resets are what connections do, and the end of a session has a line of its own. */
  #fail(place: string, error: SttError): void {
    const { reset, ...others } = FORWARD_REFUSALS;
    if (error.wire === reset.wire) return;
    const refused = Object.values(others).some(({ wire }) => wire === error.wire);
    if (refused || error.code === "BUSY") this.#onFailure({ place, error });
  }

  async #answer(stream: SttStream): Promise<void> {
    const blocks = new BlockStream(stream, undefined);
    try {
      const request = decodeRequest(await blocks.block());
      if (request.type === "listen") await this.#listenHere(request.place, stream, blocks);
      else await this.#connectHere(request, blocks);
    } catch (error) {
      const code = error instanceof SttError && error.code === "PROTOCOL" ? "malformed" : "reset";
      stream.reset(FORWARD_REFUSALS[code].wire);
      stream.stop(FORWARD_REFUSALS[code].wire);
    }
  }

  async #connectHere(
    request: Exclude<ForwardRequest, { readonly type: "listen" }>,
    blocks: BlockStream,
  ): Promise<void> {
    // Only the peer's own wishes are asked about: where a port of ours leads was decided here.
    const place = request.type === "came" ? this.#targets.get(request.listen) : request.place;
    const allowed = place !== undefined &&
      (request.type === "came" || this.#policy.connect.allows(place));
    if (!allowed) return this.#refuse(blocks, "denied", request);
    if (this.#active >= this.#policy.connections) return this.#refuse(blocks, "busy", request);
    this.#active++;
    try {
      let socket: Socket;
      try {
        socket = await connectTo(place, this.#over.signal);
      } catch (error) {
        if (!this.#over.signal.aborted) {
          this.#onFailure({ place: placeText(place), error: plainError(error) });
        }
        return this.#refuse(blocks, "unreachable");
      }
      const carrier = new Carrier(socket, blocks);
      try {
        blocks.stream.tryWrite(encodeYes(), true);
        carrier.begin();
        await carrier.done;
      } catch (error) {
        carrier.fail(error);
      }
    } finally {
      this.#active--;
    }
  }

  #refuse(blocks: BlockStream, refusal: ForwardRefusal, request?: ForwardRequest): void {
    const { stream } = blocks;
    const { wire, code, text } = FORWARD_REFUSALS[refusal];
    stream.tryWrite(encodeNo(refusal), true);
    stream.end().catch(() => undefined);
    stream.stop(wire);
    if (request === undefined) return;
    const place = request.type === "came" ? "an unknown port" : placeText(request.place);
    this.#onFailure({ place, error: new SttError(code, text.replace("the peer", "this side")) });
  }

  async #listenHere(place: Place, stream: SttStream, blocks: BlockStream): Promise<void> {
    if (!this.#policy.bind.allows(place)) {
      return this.#refuse(blocks, "denied", { type: "listen", place });
    }
    const gone = new AbortController();
    const { id } = stream;
    const release = async (): Promise<void> => {
      gone.abort();
      if (port !== undefined) await port.close();
    };
    let port: TcpPort | undefined;
    const unclaim = await this.#policy.claim(place, this.#peer.id, release);
    try {
      port = await openPort(
        place,
        this.#policy.connections,
        (socket) => void this.#open(socket, { type: "came", listen: id }, placeText(place)),
        (error) => this.#onFailure({ place: placeText(place), error }),
      );
    } catch (error) {
      unclaim();
      this.#onFailure({ place: placeText(place), error: plainError(error) });
      return this.#refuse(blocks, "bind");
    }
    this.#ports.add(port);
    try {
      await blocks.write(encodeYes(port.place.port));
      // Until the peer ends or resets the stream, or the session is over.
      const either = AbortSignal.any([this.#over.signal, gone.signal]);
      await stream.read({ signal: either });
    } finally {
      this.#ports.delete(port);
      await port.close();
      unclaim();
      stream.end().catch(() => undefined);
    }
  }
}
