/**
 * The listening side of resumption: tickets that listeners gave, and the sessions that they resume (SPEC 15).
 *
 * @module
 */
import { toHex } from "../../codec/hex.ts";
import {
  CAPABILITY_RESUMPTION,
  TICKET_CLOCK_MS,
  TICKET_LIFE_MS,
  TICKETS_PER_SESSION,
} from "../../constants.ts";
import { continuityId } from "../../crypto/tickets.ts";
import type { SeedKeys } from "../../crypto/key_schedule.ts";
import { nodeProvider } from "../../crypto/node_provider.ts";
import type { CryptoProvider } from "../../crypto/provider.ts";
import { SttError } from "../../errors.ts";
import type { HandshakeSession, TicketKeeper } from "../../handshake/types.ts";
import { TicketTable } from "../../session/ticket_table.ts";
import type { ConfirmMode } from "../../streams/continuity/continued_recv.ts";
import { positive } from "../options.ts";
import type { Peer } from "../peer.ts";
import type { WaitOptions } from "../stt_stream.ts";
import { Waiters } from "../waiters.ts";
import {
  checkConfirm,
  DEFAULT_KEEP_BYTES,
  keepBytes,
  sessionTickets,
} from "./resumption_options.ts";
import type { ListenerResumption } from "./listener_resumption.ts";
import { ResumableSession, type ResumableSessionStart } from "./resumable_session.ts";
import {
  ACCEPTED_PREFIX,
  acceptedName,
  decodeStored,
  encodeStored,
  RecordWriter,
  type SessionChamber,
} from "./stored.ts";

const DEFAULT_MAX_SESSIONS = 1024;
const DEFAULT_TICKETS = 8192;
const DEFAULT_TICKETS_PER_PEER = 64;
/** Those of a session and of the one before: the dialler may have died before it stored the new ones. */
const TICKETS_KEPT = 2 * TICKETS_PER_SESSION;
/** Sessions that were over before the application took them, as of listeners; the oldest are forgotten. */
const ENDED_WAITING = 64;
const NO_NONCE: Uint8Array = new Uint8Array(32);

/** Options of a {@link ResumptionHost}. */
export interface ResumptionHostOptions {
  /** Where sessions and tickets outlast the process, usually a `Chamber`. Default: they do not. */
  readonly chamber?: SessionChamber;
  /**
   * "read": what the application has read counts as confirmed, which is enough while this process lives. "explicit": it
   * counts once `confirm()` was called, so that nothing is lost with the process. Default "read".
   */
  readonly confirm?: ConfirmMode;
  /** Unconfirmed bytes of each stream of this side that are kept in memory, from 65536. Default 4194304. */
  readonly keep?: number;
  /** Resumable sessions, connected or not; beyond, the one without a connection that is idle longest is forgotten. Default 1024. */
  readonly maxSessions?: number;
  /** Tickets of all nodes; the oldest are forgotten. Default 8192. */
  readonly tickets?: number;
  /** Tickets of one node; the oldest are forgotten. Default 64. */
  readonly ticketsPerPeer?: number;
  /** Cryptography. Default `node:crypto`. */
  readonly provider?: CryptoProvider;
  /** Unix milliseconds; tests replace it. */
  readonly now?: () => number;
}

interface Entry {
  readonly session: ResumableSession;
  readonly seed: Uint8Array;
  readonly writer: RecordWriter;
  /** The application was given it. */
  announced: boolean;
}

/**
 * Takes the sessions of diallers that use {@link resumable}, from one listener or several (one of `udp:` and one of `ws:`,
 * say), and hands out what outlasts them. Iterate it for the sessions; one of an earlier process comes out when its
 * dialler is back.
 *
 * @example
 * ```ts
 * import { generateSeed, listen, resumable, ResumptionHost } from "@seigr/stt";
 * const seed = generateSeed();
 * const host = await ResumptionHost.open();
 * const tcp = await listen("tcp://127.0.0.1:0", { seed, nodeSeed: generateSeed(), resumption: host });
 * const client = await resumable(tcp.address, { seed });
 * const stream = await client.openStream({ name: "greeting" });
 * await stream.write(new TextEncoder().encode("hello"));
 * const server = (await host.nextSession())!;
 * const incoming = (await server.acceptStream())!;
 * console.log(incoming.name, new TextDecoder().decode((await incoming.read())!)); // greeting hello
 * await client.close();
 * await tcp.close();
 * await host.close();
 * ```
 */
export class ResumptionHost
  implements AsyncIterable<ResumableSession>, AsyncDisposable, ListenerResumption {
  /** For listeners. */
  readonly tickets: TicketKeeper;
  readonly #options: ResumptionHostOptions;
  readonly #provider: CryptoProvider;
  readonly #table: TicketTable;
  /** The one that was connected last is the last. */
  readonly #entries: Map<string, Entry> = new Map();
  readonly #waiting: ResumableSession[] = [];
  readonly #waiters: Waiters = new Waiters();
  readonly #maxSessions: number;
  readonly #keep: number;
  readonly #confirm: ConfirmMode;
  #closed = false;

  private constructor(options: ResumptionHostOptions) {
    this.#options = options;
    this.#provider = options.provider ?? nodeProvider();
    this.#maxSessions = positive("maxSessions", options.maxSessions, DEFAULT_MAX_SESSIONS);
    this.#keep = keepBytes(options.keep ?? DEFAULT_KEEP_BYTES);
    this.#confirm = checkConfirm(options.confirm);
    this.#table = new TicketTable({
      tickets: positive("tickets", options.tickets, DEFAULT_TICKETS),
      ticketsPerPeer: positive("ticketsPerPeer", options.ticketsPerPeer, DEFAULT_TICKETS_PER_PEER),
    });
    this.tickets = this.#table;
  }

  /**
   * Reads what an earlier process left in the chamber; what has expired is removed.
   *
   * @throws {SttError} CONFIG; STORAGE_CORRUPT; what the chamber throws.
   */
  static async open(options: ResumptionHostOptions = {}): Promise<ResumptionHost> {
    const host = new ResumptionHost(options);
    await host.#load();
    return host;
  }

  /** Sessions that can be resumed or stand. */
  get size(): number {
    return this.#entries.size;
  }

  /** The next session that the application has not been given; null once the host is closed. */
  async nextSession(options: WaitOptions = {}): Promise<ResumableSession | null> {
    options.signal?.throwIfAborted();
    for (;;) {
      const session = this.#waiting.shift();
      if (session !== undefined) return session;
      if (this.#closed) return null;
      await this.#waiters.wait(options.signal);
    }
  }

  /** Sessions until the host is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ResumableSession, void, void> {
    for (;;) {
      const session = await this.nextSession();
      if (session === null) return;
      yield session;
    }
  }

  /** Suspends all sessions and forgets what is in memory; a chamber keeps the rest. Close the listeners first. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiters.wake();
    try {
      await Promise.all([...this.#entries.values()].map(({ session }) => session.suspend()));
    } finally {
      this.#entries.clear();
      this.#table.clear();
    }
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // ---- for listeners ----

  /** Whether the peer of a session keeps tickets. */
  resumes({ peer }: HandshakeSession): boolean {
    return (peer.parameters.capabilities & CAPABILITY_RESUMPTION) !== 0;
  }

  /**
   * Takes the tickets of a session that is about to be accepted. Resolves when the old ticket's end and the new ones'
   * beginning outlast a crash, with a function to call when the session was not accepted after all.
   *
   * @throws {SttError} TICKET when what it resumes is gone; BUSY when there are too many sessions, or the host is closed.
   */
  async admit(
    session: HandshakeSession,
    seeds: readonly SeedKeys[],
    unixMs: number,
  ): Promise<() => void> {
    // The dialler is to come again: another process may be about to take over.
    if (this.#closed) throw new SttError("BUSY", "cannot admit session: the host is closed");
    const owner = session.resumed?.owner ??
      toHex(continuityId(this.#provider, session.secrets.exporter));
    const seed = seeds[session.peer.seedIndex ?? 0]?.seedId(NO_NONCE) ?? new Uint8Array(8);
    const { nodeId } = session.peer;
    if (session.resumed === undefined) this.#makeRoom(unixMs);
    const entry = this.#entries.get(owner) ??
      (session.resumed === undefined
        ? this.#begin(continuityId(this.#provider, session.secrets.exporter), nodeId, seed)
        : undefined);
    if (entry === undefined) {
      throw new SttError("TICKET", "cannot resume: the session was forgotten");
    }
    for (const ticket of sessionTickets(this.#provider, session, unixMs)) {
      this.#table.add({ nodeId, seed, owner }, ticket);
    }
    this.#table.keepNewest(owner, TICKETS_KEPT);
    await entry.writer.save();
    const begun = session.resumed === undefined;
    return () => {
      if (begun) entry.session.fail(new SttError("CLOSED", "the session was not accepted"));
    };
  }

  /** Takes an open session, if it was admitted. */
  claim(peer: Peer, session: HandshakeSession): boolean {
    if (!this.resumes(session)) return false;
    const owner = session.resumed?.owner ??
      toHex(continuityId(this.#provider, session.secrets.exporter));
    const found = this.#entries.get(owner);
    if (found === undefined || this.#closed) {
      peer.abort();
      return true;
    }
    // Behind the others: the first ones are those to forget.
    this.#entries.delete(owner);
    const entry = found.session.over ? this.#again(found) : found;
    this.#entries.set(owner, entry);
    entry.session.attach(peer, session.resumed !== undefined);
    if (entry.announced) return true;
    entry.announced = true;
    this.#waiting.push(entry.session);
    this.#waiters.wake();
    return true;
  }

  #begin(
    id: Uint8Array,
    nodeId: Uint8Array,
    seed: Uint8Array,
    stored?: ResumableSessionStart["stored"],
  ): Entry {
    const owner = toHex(id);
    const { chamber } = this.#options;
    const writer = new RecordWriter(
      chamber,
      acceptedName(id),
      () => encodeStored({ ...session.state, seed, tickets: this.#table.of(owner) }),
    );
    const session: ResumableSession = new ResumableSession({
      id,
      nodeId,
      role: "responder",
      confirm: this.#confirm,
      keep: this.#keep,
      ...(stored === undefined ? {} : { stored }),
      keeper: {
        save: () => writer.save(),
        forget: async () => {
          this.#forget(owner);
          await writer.remove();
        },
        // The dialler comes back, or its tickets expire.
        lost: () => undefined,
        stop: () => undefined,
      },
    });
    const entry = { session, seed, writer, announced: false };
    this.#entries.set(owner, entry);
    return entry;
  }

  /** The application suspended it: another one goes on from its state, as in a later process. */
  #again({ session, seed }: Entry): Entry {
    const { state } = session;
    return this.#begin(state.id, state.nodeId, seed, state);
  }

  #forget(owner: string): void {
    this.#entries.delete(owner);
    this.#table.forget(owner);
    const ended = this.#waiting.filter(({ over }) => over);
    const [oldest] = ended;
    if (oldest === undefined || ended.length <= ENDED_WAITING) return;
    this.#waiting.splice(this.#waiting.indexOf(oldest), 1);
  }

  #makeRoom(unixMs: number): void {
    this.#table.expire(unixMs);
    for (const [owner, { session, writer }] of [...this.#entries]) {
      const idle = session.peer === undefined || session.over;
      const full = this.#entries.size >= this.#maxSessions;
      if (idle && (full || this.#table.of(owner).length === 0)) {
        session.fail(new SttError("TICKET", "the session was forgotten: its tickets are gone"));
        this.#forget(owner);
        writer.remove().catch(() => undefined);
      }
    }
    if (this.#entries.size < this.#maxSessions) return;
    throw new SttError("BUSY", `cannot admit session: ${this.#maxSessions} are connected`, {
      limit: this.#maxSessions,
    });
  }

  async #load(): Promise<void> {
    const { chamber, now = Date.now } = this.#options;
    if (chamber === undefined) return;
    const unixMs = now();
    for (const { name } of await chamber.list()) {
      if (!name.startsWith(ACCEPTED_PREFIX)) continue;
      const value = await chamber.get(name);
      if (value === undefined) continue;
      const stored = decodeStored(name, value);
      const tickets = stored.tickets.filter(({ expires }) =>
        expires > unixMs && expires <= unixMs + TICKET_LIFE_MS + TICKET_CLOCK_MS
      );
      if (tickets.length === 0) {
        await chamber.delete(name);
        continue;
      }
      const { id, nodeId, seed } = stored;
      this.#begin(id, nodeId, seed, stored);
      for (const ticket of tickets) this.#table.add({ nodeId, seed, owner: toHex(id) }, ticket);
    }
  }
}
