/**
 * What the connection of a session tells, and who hears of it.
 *
 * @module
 */
import type { CloseFacts, ConnectionEvent } from "../connection/events.ts";
import { SttError } from "../errors.ts";
import { formatAddress } from "../transport/address.ts";
import { publish } from "./diagnostics.ts";
import type { Driver } from "./driver.ts";
import { FrameHandlers } from "./frame_handlers.ts";
import type { Incoming } from "./incoming.ts";
import type { PeerEvents } from "./peer_events.ts";
import type { PeerInfo } from "./peer_info.ts";
import { PingWaits } from "./ping_waits.ts";
import type { SessionStreamHost, SessionStreams } from "./session_streams.ts";
import { TypedEvents } from "./typed_events.ts";
import { Waiters } from "./waiters.ts";

/** Passes the events of one session on, until the last one. */
export class SessionEvents {
  /** Who waits to open a stream. */
  readonly openers: Waiters = new Waiters();
  readonly pings: PingWaits = new PingWaits();
  readonly frames: FrameHandlers = new FrameHandlers();
  /** The application's listeners. */
  readonly events: TypedEvents<PeerEvents> = new TypedEvents();
  readonly #driver: Driver;
  readonly #info: PeerInfo;
  readonly #host: SessionStreamHost;
  readonly #incoming: Incoming;
  readonly #streams: SessionStreams;
  #closeFacts: CloseFacts | undefined;
  /** From the first look at `closed` on. */
  #closed: Promise<CloseFacts> | undefined;
  #resolveClosed: ((facts: CloseFacts) => void) | undefined;

  constructor(
    driver: Driver,
    info: PeerInfo,
    host: SessionStreamHost,
    incoming: Incoming,
    streams: SessionStreams,
  ) {
    this.#driver = driver;
    this.#info = info;
    this.#host = host;
    this.#incoming = incoming;
    this.#streams = streams;
  }

  /** Resolves when the session has ended, however it ended. Never rejects. */
  get closed(): Promise<CloseFacts> {
    this.#closed ??= this.#closeFacts === undefined
      ? new Promise((resolve) => {
        this.#resolveClosed = resolve;
      })
      : Promise.resolve(this.#closeFacts);
    return this.#closed;
  }

  /** One event of the connection. */
  dispatch(event: ConnectionEvent): void {
    switch (event.type) {
      case "stream": {
        const stream = this.#streams.onOpened(event.id, event.kind);
        const info = this.#info;
        publish("stt:stream", () => ({ info, id: event.id, mode: stream.mode }));
        this.events.emit("stream", { id: event.id, mode: stream.mode });
        return;
      }
      case "readable":
      case "writable":
      case "finished":
        return this.#streams.onEvent(event.type, event.id);
      case "stream-closed":
        this.#streams.onEvent(event.type, event.id);
        return this.events.emit("stream-closed", { id: event.id });
      case "reset":
        return this.#streams.onReset(event.id, event.code);
      case "stopped":
        return this.#streams.onStopped(event.id, event.code);
      case "streams-available":
        return this.openers.wake();
      case "datagram":
        return this.#incoming.datagramArrived();
      case "custom-frame":
        return this.#dispatchFrames();
      case "pong":
        return this.pings.answer(event.ping, event.rttMs);
      case "established":
        return publish("stt:session:open", () => ({ info: this.#info }));
      case "rekey": {
        const { direction, epoch } = event;
        publish("stt:rekey", () => ({ info: this.#info, direction, epoch }));
        return this.events.emit("rekey", event);
      }
      case "datagram-size":
        return this.events.emit("datagram-size", { maxDatagramSize: event.maxDatagramSize });
      case "migrated": {
        const from = formatAddress({ scheme: "udp", ...event.from });
        const to = formatAddress({ scheme: "udp", ...event.to });
        publish("stt:migrated", () => ({ info: this.#info, from, to }));
        return this.events.emit("migrated", { from, to });
      }
      case "peer-error":
        return this.events.emit("peer-error", event);
      case "closed":
        return this.#onClosed(event.facts);
      default:
        return;
    }
  }

  #dispatchFrames(): void {
    for (;;) {
      const frame = this.#driver.connection.nextCustomFrame();
      if (frame === undefined) return;
      this.frames.dispatch(frame);
    }
  }

  #onClosed(facts: CloseFacts): void {
    if (this.#closeFacts !== undefined) return;
    this.#closeFacts = facts;
    const error = facts.error ??
      new SttError("CLOSED", `the session was closed${facts.remote ? " by the peer" : ""}`, {
        remote: facts.remote,
      });
    this.#host.closeError = error;
    this.#streams.onSessionEnd(error);
    this.#incoming.end(facts.error);
    this.openers.fail(error);
    this.pings.fail(error);
    publish("stt:session:close", () => ({ info: this.#info, facts }));
    this.events.emit("close", facts);
    this.events.close();
    this.#resolveClosed?.(facts);
  }
}
