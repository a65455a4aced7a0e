/**
 * The dialling side of resumption (SPEC 15).
 *
 * @module
 */
import { CAPABILITY_RESUMPTION } from "../../constants.ts";
import { nodeProvider } from "../../crypto/node_provider.ts";
import type { CryptoProvider } from "../../crypto/provider.ts";
import { wipe } from "../../crypto/secret.ts";
import { continuityId } from "../../crypto/tickets.ts";
import { SttError } from "../../errors.ts";
import type { HandshakeSession } from "../../handshake/types.ts";
import type { Ticket } from "../../session/ticket_table.ts";
import type { ConfirmMode } from "../../streams/continuity/continued_recv.ts";
import { type Clock, systemClock } from "../clock.ts";
import { connectWith } from "../connect.ts";
import { type ConnectOptions, positive } from "../options.ts";
import type { Peer } from "../peer.ts";
import { checkPolicy, delayOf, isTransient, type ReconnectPolicy } from "../reconnect_policy.ts";
import { pause } from "../wait.ts";
import { ResumableSession, type SessionKeeper } from "./resumable_session.ts";
import {
  checkConfirm,
  DEFAULT_KEEP_BYTES,
  keepBytes,
  sessionTickets,
} from "./resumption_options.ts";
import {
  decodeStored,
  dialledName,
  encodeStored,
  RecordWriter,
  type SessionChamber,
  type StoredSession,
} from "./stored.ts";

const DEFAULT_GIVE_UP_MS = 600_000;
/** A transport that is gone should be missed soon: these are in place of the longer ones of `connect`. */
const DEFAULT_IDLE_MS = 30_000;
const DEFAULT_KEEP_ALIVE_MS = 10_000;

/** Options of {@link resumable}; those of `connect` and the pauses of `reconnecting` among them. */
export interface ResumableOptions
  extends Omit<ConnectOptions, "early">, Omit<ReconnectPolicy, "stableAfter" | "maxAttempts"> {
  /**
   * Where the session outlasts the process, usually a `Chamber`; needs `nodeSeed`, as tickets are bound to the identity.
   * Default: it does not.
   */
  readonly chamber?: SessionChamber;
  /** Which session of the chamber. Default "". */
  readonly name?: string;
  /**
   * "read": what the application has read counts as confirmed, which is enough while this process lives. "explicit": it
   * counts once `confirm()` was called, so that nothing is lost with the process. Default "read".
   */
  readonly confirm?: ConfirmMode;
  /** Unconfirmed bytes of each stream of this side that are kept in memory, from 65536. Default 4194304. */
  readonly keep?: number;
  /** Milliseconds without a session until it is given up. Default 600000. */
  readonly giveUpAfter?: number;
  /** When the stored session cannot be resumed: begin a new one, without its streams, in place of `TICKET`. Default false. */
  readonly orNew?: boolean;
}

/**
 * Dials, and returns a session whose streams go on over other transports and, with a chamber, after a crash. Resolves
 * when the first session stands. It is the stored one if there is one of this `name`.
 *
 * The listener needs a {@link ResumptionHost} as its `resumption`. What breaks the transport later is repaired behind the
 * scenes, by tickets that each resume once; nothing else takes its place, so the other side is the same node, and has not
 * forgotten.
 *
 * @throws {SttError} as `connect`; `TICKET` when the stored session can be resumed no more (see `orNew`); `UNSUPPORTED` for
 *   a listener that keeps no tickets; `CONFIG`; what the chamber throws.
 *
 * @example
 * ```ts
 * import { generateSeed, listen, resumable, ResumptionHost } from "@seigr/stt";
 * const seed = generateSeed();
 * const host = await ResumptionHost.open();
 * const options = { seed, nodeSeed: generateSeed(), resumption: host };
 * const udp = await listen("udp://127.0.0.1:0", options);
 * const ws = await listen("ws://127.0.0.1:0/", options);
 *
 * const session = await resumable(udp.address, { seed });
 * const stream = await session.openStream();
 * await stream.write(new TextEncoder().encode("over udp, "));
 * await session.move(ws.address);
 * await stream.write(new TextEncoder().encode("or over ws"));
 * const ended = stream.end();
 *
 * const incoming = (await (await host.nextSession())!.acceptStream())!;
 * let text = "";
 * for await (const chunk of incoming) text += new TextDecoder().decode(chunk);
 * console.log(text); // over udp, or over ws
 * await ended;
 * await session.close();
 * await udp.close();
 * await ws.close();
 * await host.close();
 * ```
 */
export async function resumable(
  address: string,
  options: ResumableOptions,
): Promise<ResumableSession> {
  const { chamber, name = "" } = options;
  if (chamber !== undefined && options.nodeSeed === undefined) {
    throw new SttError(
      "CONFIG",
      "cannot use option chamber without nodeSeed: tickets are bound to it",
    );
  }
  const value = await chamber?.get(dialledName(name));
  const stored = value === undefined ? undefined : decodeStored(dialledName(name), value);
  const dialler = new ResumptionDialler(address, options);
  try {
    return await dialler.begin(stored);
  } catch (error) {
    const refused = error instanceof SttError && error.code === "TICKET";
    if (stored === undefined || options.orNew !== true || !refused) throw error;
    return await new ResumptionDialler(address, options).begin(undefined);
  }
}

/** What a dial came to. */
interface Dialled {
  readonly peer: Peer;
  readonly handshake: HandshakeSession;
}

/** Dials for one resumable session as often as that needs it. */
class ResumptionDialler implements SessionKeeper {
  readonly #options: ResumableOptions;
  readonly #connect: ConnectOptions;
  readonly #provider: CryptoProvider;
  readonly #clock: Clock;
  readonly #policy: ReturnType<typeof checkPolicy>;
  readonly #giveUpAfter: number;
  readonly #writer: RecordWriter;
  #address: string;
  /** Where the session of the moment was dialled. */
  #standing: string;
  #tickets: Ticket[] = [];
  #session: ResumableSession | undefined;
  /** Ends the dials under way; another one takes its place with each move. */
  #dialling: AbortController | undefined;
  /** When the session of the moment began, and how many in a row ended soon. */
  #since = 0;
  #brief = 0;

  constructor(address: string, options: ResumableOptions) {
    this.#address = address;
    this.#standing = address;
    this.#options = options;
    this.#provider = options.provider ?? nodeProvider();
    this.#clock = options.clock ?? systemClock;
    this.#policy = checkPolicy({ ...options, retry: options.retry ?? isTransient });
    this.#giveUpAfter = positive("giveUpAfter", options.giveUpAfter, DEFAULT_GIVE_UP_MS);
    keepBytes(options.keep ?? DEFAULT_KEEP_BYTES);
    checkConfirm(options.confirm);
    this.#connect = {
      maxIdle: DEFAULT_IDLE_MS,
      keepAlive: DEFAULT_KEEP_ALIVE_MS,
      ...options,
      // One identity for all dials: the tickets are bound to it.
      nodeSeed: options.nodeSeed ?? this.#provider.randomBytes(32),
    };
    this.#writer = new RecordWriter(
      options.chamber,
      dialledName(options.name ?? ""),
      () =>
        encodeStored({
          ...(this.#session as ResumableSession).state,
          seed: new Uint8Array(8),
          tickets: this.#tickets,
        }),
    );
  }

  /** The first session, new or resumed. */
  async begin(stored: StoredSession | undefined): Promise<ResumableSession> {
    const { signal } = this.#options;
    if (stored === undefined) {
      const dialled = await this.#dial(undefined, signal);
      const { exporter } = dialled.handshake.secrets;
      const { nodeId } = dialled.handshake.peer;
      this.#session = this.#make(continuityId(this.#provider, exporter), nodeId);
      await this.#take(dialled);
      return this.#session;
    }
    this.#tickets = [...stored.tickets];
    this.#session = this.#make(stored.id, stored.nodeId, stored);
    await this.#take(await this.#resume(signal));
    return this.#session;
  }

  save(): Promise<void> {
    return this.#writer.save();
  }

  async forget(): Promise<void> {
    wipe(...this.#tickets.map(({ secret }) => secret));
    this.#tickets = [];
    await this.#writer.remove();
  }

  lost(error: SttError | undefined): void {
    if (this.#dialling !== undefined) return;
    const brief = this.#clock.now() - this.#since < this.#policy.stableAfter;
    this.#brief = brief ? this.#brief + 1 : 0;
    // The first one may be an accident. A listener that ends each session at once must not keep both sides busy.
    void this.#redial(error, Math.max(0, this.#brief - 1));
  }

  async move(address: string): Promise<void> {
    this.#address = address;
    this.#dialling?.abort();
    const error = await this.#redial(undefined);
    if (error !== undefined) throw error;
  }

  stop(): void {
    this.#dialling?.abort();
  }

  #make(id: Uint8Array, nodeId: Uint8Array, stored?: StoredSession): ResumableSession {
    return new ResumableSession({
      id,
      nodeId,
      role: "initiator",
      confirm: checkConfirm(this.#options.confirm),
      keep: this.#options.keep ?? DEFAULT_KEEP_BYTES,
      keeper: {
        save: () => this.save(),
        forget: () => this.forget(),
        lost: (error) => this.lost(error),
        move: (address) => this.move(address),
        stop: () => this.stop(),
      },
      ...(stored === undefined ? {} : { stored }),
    });
  }

  /** Dials until a session stands or none is wanted any more, and says why not. Never rejects. */
  async #redial(cause: SttError | undefined, failed: number = 0): Promise<SttError | undefined> {
    const session = this.#session as ResumableSession;
    const dialling = new AbortController();
    this.#dialling = dialling;
    const address = this.#address;
    const since = this.#clock.now();
    let error = cause;
    for (let failures = failed; !dialling.signal.aborted; failures++) {
      try {
        if (failures > 0) {
          const [byte = 0] = this.#provider.randomBytes(1);
          await pause(delayOf(this.#policy, failures, byte / 256), dialling.signal);
        }
        await this.#take(await this.#resume(dialling.signal));
        if (this.#dialling === dialling) this.#dialling = undefined;
        this.#standing = address;
        // Lost while it was taken, when nobody was to dial beside this.
        if (session.peer === undefined && !session.over) this.lost(undefined);
        return undefined;
      } catch (caught) {
        if (dialling.signal.aborted) break;
        error = caught instanceof SttError
          ? caught
          : new SttError("SESSION", "cannot resume session", { cause: caught });
        const late = this.#clock.now() - since >= this.#giveUpAfter;
        // A move that failed costs nothing while the old session stands.
        const stands = session.peer !== undefined;
        const again = error.code !== "TICKET" && !late && this.#policy.retry(error);
        if (again && !stands) continue;
        this.#dialling = undefined;
        if (stands) this.#address = this.#standing;
        else session.giveUp(error);
        return error;
      }
    }
    return new SttError("CLOSED", `cannot go on at ${address}: it was closed or moved elsewhere`);
  }

  /** Dials with the tickets in turn: one may have been used by an attempt of which nobody heard again. */
  async #resume(signal: AbortSignal | undefined): Promise<Dialled> {
    for (;;) {
      const ticket = this.#tickets[0];
      if (ticket === undefined) throw new SttError("TICKET", "cannot resume: no ticket is left");
      const expired = ticket.expires <= this.#clock.unix();
      try {
        if (!expired) return await this.#dial(ticket, signal);
      } catch (error) {
        if (!(error instanceof SttError) || error.code !== "TICKET") throw error;
      }
      wipe(ticket.secret);
      // `#take` of another dial may have replaced them all.
      this.#tickets = this.#tickets.filter((one) => one !== ticket);
    }
  }

  async #dial(ticket: Ticket | undefined, signal: AbortSignal | undefined): Promise<Dialled> {
    let handshake: HandshakeSession | undefined;
    const nodeId = this.#session?.nodeId;
    const peer = await connectWith(
      this.#address,
      { ...this.#connect, ...(signal === undefined ? {} : { signal }) },
      {
        onSession: (session) => {
          handshake = session;
        },
        ...(ticket === undefined || nodeId === undefined ? {} : { ticket: { ...ticket, nodeId } }),
      },
    );
    const { capabilities } = (handshake as HandshakeSession).peer.parameters;
    if ((capabilities & CAPABILITY_RESUMPTION) !== 0) {
      return { peer, handshake: handshake as HandshakeSession };
    }
    await peer.close();
    throw new SttError("UNSUPPORTED", "cannot resume: the listener keeps no tickets");
  }

  /** The new tickets are stored before the session is used: those before may be used up. */
  async #take({ peer, handshake }: Dialled): Promise<void> {
    const session = this.#session as ResumableSession;
    const before = this.#tickets;
    try {
      this.#tickets = sessionTickets(this.#provider, handshake, this.#clock.unix());
      wipe(...before.map(({ secret }) => secret));
      await this.save();
    } catch (error) {
      peer.abort();
      throw error;
    }
    this.#since = this.#clock.now();
    session.attach(peer, handshake.resumed !== undefined);
  }
}
