/**
 * Joins one connection and one transport: the only place that runs the connection's rule "after any call, drain
 * transmit and events, then arm one timer".
 *
 * @module
 */
import type { Connection } from "../connection/connection.ts";
import type { ConnectionEvent } from "../connection/events.ts";
import type { SttError } from "../errors.ts";
import type { TransportConnection } from "../transport/transport.ts";
import { AnswerPoll } from "./answer_poll.ts";
import { type Clock, MAX_TIMER_MS } from "./clock.ts";

/** Runs a {@link Connection} over a {@link TransportConnection}. */
export class Driver {
  readonly connection: Connection;
  readonly transport: TransportConnection;
  /** Resolves when the transport has ended. */
  readonly ended: Promise<void>;
  readonly #clock: Clock;
  readonly #onEvent: (event: ConnectionEvent) => void;
  #resolveEnded: () => void = () => undefined;
  readonly #answers: AnswerPoll | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #scheduled = false;
  /** Bytes of the datagrams since the last end of a batch. */
  #batchBytes = 0;
  #waitsForTurn = false;
  #full = false;
  #paused = false;
  #transportOver = false;

  constructor(
    connection: Connection,
    transport: TransportConnection,
    clock: Clock,
    onEvent: (event: ConnectionEvent) => void,
    answerPoll: boolean = true,
  ) {
    this.connection = connection;
    this.transport = transport;
    this.#clock = clock;
    this.#onEvent = onEvent;
    const { afterTurn, mayTurn = false } = transport;
    if (afterTurn !== undefined && answerPoll) {
      const poll = (run: () => void): void => afterTurn.call(transport, run);
      this.#answers = new AnswerPoll(() => clock.now(), poll, mayTurn);
    }
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  now(): number {
    return this.#clock.now();
  }

  start(): void {
    this.transport.start({
      data: (bytes, host, port) => this.#onData(bytes, host, port),
      batchEnd: () => {
        this.#answers?.answered(this.#batchBytes);
        this.#batchBytes = 0;
        this.connection.endOfBatch(this.#clock.now());
        this.#afterBatch();
      },
      written: (bytes) => this.connection.recycle(bytes),
      drain: () => {
        this.#full = false;
        this.#flush();
      },
      // A stranger that has left opens no session any more: what it sent is not worth the cryptography.
      abandoned: () =>
        this.connection.role === "responder" && this.connection.state === "handshaking",
      end: (error) => this.#onEnd(error),
    });
    this.#afterBatch();
  }

  /** What can wait does so for what the application says to what it is told now. */
  #afterBatch(): void {
    this.#events();
    if (this.#waitsForTurn) return;
    if (this.connection.mayWait) this.scheduleAfterTurn();
    else this.#flush();
  }

  /** Call after any command: everything done in this turn of the event loop shares frames. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }

  /** Call after a command that more is likely to follow: what the application does in its turn shares the packet. */
  scheduleAfterTurn(): void {
    const { transport } = this;
    if (transport.afterTurn === undefined) return this.schedule();
    if (this.#waitsForTurn) return;
    this.#waitsForTurn = true;
    transport.afterTurn(this.#onTurnOver);
  }

  readonly #onTurnOver = (): void => {
    if (this.#waitsForTurn) this.#flush();
  };

  #onData(bytes: Uint8Array, host: string | undefined, port: number | undefined): void {
    this.connection.receive(bytes, this.#clock.now(), host, port);
    // The end of the batch follows: one look for all datagrams that lay ready.
    if (this.transport.framing === "datagram") {
      this.#batchBytes += bytes.length;
      return;
    }
    if (this.transport.framing === "message") this.connection.endOfMessage(this.#clock.now());
    this.#events();
    this.schedule();
  }

  #onEnd(error: SttError | undefined): void {
    this.#transportOver = true;
    this.connection.transportEnded(error);
    this.#flush();
    this.#resolveEnded();
  }

  #events(): void {
    for (;;) {
      const event = this.connection.nextEvent();
      if (event === undefined) return;
      if (event.type === "migrated") this.transport.moved?.(event.to);
      this.#onEvent(event);
    }
  }

  #flush(): void {
    this.#scheduled = false;
    this.#waitsForTurn = false;
    this.#events();
    const { connection, transport } = this;
    let sent = 0;
    while (!this.#full && !this.#transportOver) {
      if (transport.ready?.() === false) {
        this.#full = true;
        break;
      }
      const frame = connection.transmit(this.#clock.now());
      if (frame === undefined) break;
      // Only a send that returned false is followed by `drain`: no other mark may stop the loop.
      const { length } = frame;
      this.#full = !transport.send(frame, connection.target);
      sent += length;
      // Sockets say with true that the array is free; other transports own what they took.
      if (!this.#full && transport.framing === "datagram") connection.recycle(frame);
    }
    if (sent > 0 && connection.awaitsAcknowledgement) this.#answers?.asked(sent);
    this.#events();
    if (connection.finished) {
      this.#stopTimer();
      if (!this.#transportOver) {
        this.#transportOver = true;
        void transport.close().then(() => this.#resolveEnded());
      }
      return;
    }
    this.#applyPause();
    this.#armTimer();
  }

  #applyPause(): void {
    const pause = this.connection.readPaused;
    if (pause === this.#paused) return;
    if (pause) {
      this.#paused = this.transport.pause();
    } else {
      this.#paused = false;
      this.transport.resume();
    }
  }

  /** A timer that is early is left to fire and look again: most packets only move deadlines further away. */
  #armTimer(): void {
    const at = this.connection.nextTimeout();
    if (at === undefined) {
      this.#stopTimer();
      return;
    }
    if (this.#timer !== undefined && this.#timerAt <= at) return;
    this.#stopTimer();
    this.#timerAt = at;
    const delay = Math.min(Math.max(Math.ceil(at - this.#clock.now()), 0), MAX_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#timerAt = Infinity;
      const now = this.#clock.now();
      const due = this.connection.nextTimeout();
      if (due !== undefined && due <= now) this.connection.onTimeout(now);
      this.#flush();
    }, delay);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }
}
