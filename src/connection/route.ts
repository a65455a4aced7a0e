/**
 * Where the datagrams of one UDP session come from and go to: the rules of migration tied to frames (SPEC 10.6).
 *
 * @module
 */
import type { EventQueue } from "./event_queue.ts";
import { isLoopback, Path, type PathAddress } from "./recovery/path.ts";
import type { PathOptions, SessionCore } from "./session_core.ts";
import type { ConnectionTrace } from "./tracing.ts";

/** Owners that name no addresses have one path only. */
const NOWHERE: PathAddress = { host: "", port: 0 };

/** The path of one session, and the datagram that is looked at. */
export class Route {
  /** Where the frame built last goes. */
  target: PathAddress;
  /** Times the peer moved. */
  migrations = 0;
  readonly #path: Path;
  readonly #events: EventQueue;
  readonly #trace: ConnectionTrace | undefined;
  #host = "";
  #port = 0;
  #bytes = 0;
  #counted = false;

  constructor(
    options: PathOptions,
    migrate: boolean,
    random: (length: number) => Uint8Array,
    events: EventQueue,
    trace?: ConnectionTrace,
  ) {
    const { remote = NOWHERE, validated = true, received = 0 } = options;
    this.#path = new Path({ remote, validated, migrate, random });
    this.#path.onDatagram(remote.host, remote.port, received);
    this.#events = events;
    this.#trace = trace;
    this.target = remote;
  }

  /** Where frames go but for PATH records. */
  get remote(): PathAddress {
    return this.#path.remote;
  }

  /** Bytes that may go to `remote` now (SPEC 6.4.8). */
  get allowance(): number {
    return this.#path.allowance;
  }

  /** Bulk data waits: the peer seems to have left `remote`. */
  get holdBulk(): boolean {
    return this.#path.holdBulk;
  }

  // ---- datagrams that arrive ----

  /** A datagram is looked at from now on. */
  arriving(host: string, port: number, bytes: number): void {
    this.#host = host;
    this.#port = port;
    this.#bytes = bytes;
    this.#counted = false;
  }

  /** False: `migrate` is false, and its protected frames are to be dropped. */
  get accepted(): boolean {
    return this.#path.accepts(this.#host, this.#port);
  }

  /** A frame of the datagram verified. */
  verified(): void {
    if (this.#counted) return;
    this.#counted = true;
    this.#path.onDatagram(this.#host, this.#port, this.#bytes);
  }

  /** The frame was acted upon. `probing`: it holds nothing that is a reason to move. */
  onFrame(sequence: number, probing: boolean, nowMs: number, ptoMs: number): void {
    this.#path.onFrame(this.#host, this.#port, this.#bytes, sequence, probing, nowMs, ptoMs);
  }

  onChallenge(token: Uint8Array): void {
    this.#path.onChallenge(token, this.#host, this.#port, this.#bytes);
  }

  onResponse(token: Uint8Array, core: SessionCore, nowMs: number): void {
    const change = this.#path.onResponse(token, nowMs);
    if (change?.kind !== "moved") return;
    const { from, to, portOnly, rttMs } = change;
    this.migrations++;
    core.transmission?.onPathChange(portOnly, isLoopback(to.host), rttMs, nowMs);
    this.#trace?.emit({ type: "migrated", from, to, portOnly });
    this.#events.push({ type: "migrated", from, to });
  }

  /** A PONG came: PING went to `remote` alone. */
  onPong(): void {
    this.#path.onValidated();
  }

  // ---- datagrams that leave ----

  /** The next PATH record, alone in its frame, which goes to `target`. */
  probe(core: SessionCore, nowMs: number): Uint8Array | undefined {
    const probe = this.#path.nextProbe(core.pathFrameBytes, nowMs);
    if (probe === undefined) return undefined;
    this.target = probe.to;
    return core.pathFrame({ type: probe.type, token: probe.token }, nowMs);
  }

  /** A datagram goes to `target`. */
  onSent(bytes: number): void {
    this.#path.onSent(this.target.host, this.target.port, bytes);
  }

  nextTimeout(): number | undefined {
    return this.#path.nextTimeout();
  }

  onTimeout(nowMs: number): void {
    this.#path.onTimeout(nowMs);
  }
}
