/**
 * The responder, message by message: what it sends, and with which of the data's verdicts it refuses (SPEC 6.2 to 6.4, in
 * the order of its checks). A refused message leaves the state as it was.
 *
 * @module
 */
import { hex, Refusal, same, unhex } from "./bytes.ts";
import {
  confirmationOf,
  NOISE_NAMES,
  prologueOf,
  schedule,
  seedId,
  seedKeys,
  sessionIdOf,
  staticSecret,
} from "./handshake.ts";
import {
  bytesOf,
  encodeFields,
  type Fields,
  intOf,
  intsOf,
  readMessage,
  toTypedDict,
  without,
} from "./messages.ts";
import { TwinNoise } from "./noise.ts";
import {
  appOf,
  FatalRefusal,
  frameOf,
  judge,
  type Outcome,
  type TwinSession,
  VERSIONS,
} from "./outcome.ts";
import { readParameters } from "./parameters.ts";
import { publicKey } from "./primitives.ts";
import { cookieHolds, cookieOf, makeRetry } from "./retry.ts";
import { maskedId, resumedPsk, type ScriptTicket, TwinTickets } from "./tickets.ts";
import { encodeValue } from "./values.ts";

export interface TwinResponderConfig {
  readonly seeds: readonly string[];
  readonly pair_key?: string | null;
  readonly node_seed: string;
  readonly alias: string;
  /** Several are used in turn, the last one from then on. */
  readonly ephemeral: string | readonly string[];
  readonly suites: readonly number[];
  readonly payload: Fields;
  readonly cookie_secret?: string | null;
  readonly under_load?: boolean;
  /** Tickets that it gave. */
  readonly tickets?: readonly ScriptTicket[];
}

export interface Source {
  /** 4 or 16 bytes, hex. */
  readonly ip: string;
  readonly port: number;
}

interface SeenNonce {
  readonly nonce: string;
  readonly hello: string;
  readonly untilMs: bigint;
}

interface OpenHandshake {
  readonly noise: TwinNoise;
  readonly sessionId: Uint8Array;
  readonly suite: number;
  readonly response: string;
  readonly hello: string;
  readonly ticket: ScriptTicket | undefined;
  readonly from: Source;
  /** RESPONSEs sent again to other addresses (6.3.4). */
  elsewhere: number;
  /** The AUTH_PROOF that verified, and what repeats of it get. */
  proven?: { frame: string; final?: string; acceptedMs?: bigint; repeats: number };
}

const [TYPE, HELLO, NONCE] = ["type", "HELLO", "nonce"].map((v) =>
  hex(encodeValue({ t: "str", v }))
);
const HELLO_ENTRY = `${TYPE}${HELLO}`;
const NONCE_ENTRY = `${NONCE}3000000020`;
const MAX_FRAME = 4100;

/** What a HELLO's nonce may be, by its bytes alone. */
function noncesIn(frame: Uint8Array): Uint8Array[] {
  const text = hex(frame);
  const wholeBytes = (part: string): number[] =>
    [...text.matchAll(new RegExp(`(?=${part})`, "g"))].map(({ index }) => index)
      .filter((index) => index % 2 === 0);
  if (frame.length > MAX_FRAME || wholeBytes(HELLO_ENTRY).length === 0) return [];
  return wholeBytes(NONCE_ENTRY)
    .map((index) => text.slice(index + NONCE_ENTRY.length, index + NONCE_ENTRY.length + 64))
    .filter((nonce) => nonce.length === 64)
    .map(unhex);
}

function isElsewhere({ from }: OpenHandshake, now: Source): boolean {
  return from.ip !== now.ip || from.port !== now.port;
}

function halfOf(nonce: Uint8Array): string {
  return hex(nonce.subarray(0, 16));
}

/** SPEC 6.0.5: how often another nonce is tried. */
const SESSION_ID_TRIES = 8;
const FRESH_MS = 120_000n;
const FINAL_MS = 10_000n;
const SEEN_MS = 245_000n;
const MAX_ELSEWHERE = 5;

export class TwinResponder {
  readonly #config: TwinResponderConfig;
  /** By half of the nonce, as the cache has it (6.4.3). */
  readonly #seen = new Map<string, SeenNonce>();
  /** Handshakes by session id, from RESPONSE on. */
  readonly #open = new Map<string, OpenHandshake>();
  readonly #tickets: TwinTickets;
  #ephemerals = 0;
  /** The newest that AUTH_PROOF made. */
  session: TwinSession | undefined;

  constructor(config: TwinResponderConfig) {
    this.#config = config;
    this.#tickets = new TwinTickets(config.tickets ?? []);
  }

  receive(frame: Uint8Array, nowMs: string, from: Source): Outcome {
    return judge(() => {
      for (const nonce of noncesIn(frame)) this.#refuseSeen(nonce, BigInt(nowMs), from);
      const message = readMessage(frame);
      if (message.type === "HELLO") return this.#hello(message.fields, BigInt(nowMs), from);
      if (message.type === "AUTH_PROOF") {
        return this.#proof(message.fields, hex(frame), BigInt(nowMs));
      }
      throw new Refusal("type");
    });
  }

  /** FINAL for the session that AUTH_PROOF made. */
  accept(nowMs: string): string {
    const session = this.session as TwinSession;
    const head: Fields = {
      type: { text: "FINAL" },
      session_id: { bytes: hex(session.sessionId) },
      timestamp: { int: nowMs },
    };
    const confirmation = confirmationOf(session.secrets.final, session.hash, head);
    const final = frameOf({ ...head, confirmation: { bytes: hex(confirmation) } });
    const open = this.#open.get(hex(session.sessionId));
    if (open?.proven !== undefined) {
      open.proven.final = final;
      open.proven.acceptedMs = BigInt(nowMs);
    }
    return final;
  }

  #hello(
    fields: Fields,
    nowMs: bigint,
    from: Source,
  ): Omit<Outcome, "verdict"> & { verdict?: string } {
    const config = this.#config;
    const nonce = bytesOf(fields, "nonce");
    const wanted = bytesOf(fields, "seed_id");
    const seed = config.seeds.map(unhex).find((one) => same(seedId(one, nonce), wanted));
    if (seed === undefined) throw new Refusal("seed_id");
    const retry = (
      content: Parameters<typeof makeRetry>[1],
    ): { verdict: string; sent: string } => ({
      verdict: "retry",
      sent: makeRetry(seed, content).frame,
    });
    if (intOf(fields, "version") !== 1n) return retry({ nonce, code: 2, versions: VERSIONS });
    const suites = intsOf(fields, "suites");
    const suite = suites[0] as number;
    if (!config.suites.includes(suite)) {
      if (!suites.some((id) => config.suites.includes(id))) throw new Refusal("suite");
      return retry({ nonce, code: 3, suites: config.suites });
    }
    const identity = hex(encodeFields(without(fields, "cookie")));
    const age = nowMs - intOf(fields, "timestamp");
    const stale = age > FRESH_MS || -age > FRESH_MS;
    if (config.cookie_secret && (stale || config.under_load === true)) {
      const inputs = { secret: config.cookie_secret, ...from };
      const cookie = fields.cookie === undefined ? undefined : bytesOf(fields, "cookie");
      if (cookie === undefined || !cookieHolds(inputs, nonce, cookie, nowMs)) {
        return retry({ nonce, code: 1, cookie: cookieOf(inputs, nonce, Number(nowMs / 60000n)) });
      }
    }
    for (const open of this.#open.values()) {
      const { proven, hello, response } = open;
      if (identity !== hello) continue;
      if (proven === undefined) {
        if (isElsewhere(open, from)) open.elsewhere++;
        return { sent: response };
      }
      // Whoever sent AUTH_PROOF has RESPONSE; once accepted, the handshake is half-open no more.
      if (proven.final === undefined) throw new Refusal("duplicate");
    }
    return this.#answer(fields, seed, suite, nowMs, identity, from);
  }

  /** The Choices behind 6.3.4 and 6.4.2. */
  #refuseSeen(nonce: Uint8Array, nowMs: bigint, from: Source): void {
    const seen = this.#seenAt(nonce, nowMs);
    if (seen === undefined) return;
    const open = this.#halfOpenOf(seen, nonce);
    if (open === undefined) throw new Refusal("replay");
    if (open.elsewhere >= MAX_ELSEWHERE && isElsewhere(open, from)) throw new Refusal("duplicate");
  }

  #seenAt(nonce: Uint8Array, nowMs: bigint): SeenNonce | undefined {
    const seen = this.#seen.get(halfOf(nonce));
    return seen !== undefined && seen.untilMs > nowMs ? seen : undefined;
  }

  #halfOpenOf(seen: SeenNonce, nonce: Uint8Array): OpenHandshake | undefined {
    if (seen.nonce !== hex(nonce)) return undefined;
    return [...this.#open.values()].find(({ hello, proven }) =>
      hello === seen.hello && proven?.final === undefined
    );
  }

  #answer(
    fields: Fields,
    seed: Uint8Array,
    suite: number,
    nowMs: bigint,
    identity: string,
    from: Source,
  ): Omit<Outcome, "verdict"> {
    const config = this.#config;
    const { psk } = seedKeys(seed);
    const nonce = bytesOf(fields, "nonce");
    const pair = config.pair_key ? unhex(config.pair_key) : psk;
    const ticket = fields.ticket === undefined
      ? undefined
      : this.#tickets.find(maskedId(seed, nonce, bytesOf(fields, "ticket")), seed, nowMs);
    const make = (secret: Uint8Array): TwinNoise =>
      new TwinNoise({
        protocolName: NOISE_NAMES[suite] as string,
        initiator: false,
        prologue: prologueOf(fields),
        staticSecret: staticSecret(unhex(config.node_seed)),
        ephemeralSecret: secret,
        psks: [psk, ticket === undefined ? pair : resumedPsk(unhex(ticket.secret), pair)],
      });
    const message = Uint8Array.from([...nonce, ...bytesOf(fields, "commitment")]);
    // The ephemeral key takes no part in the first message.
    if (make(new Uint8Array(32)).read(message) === undefined) throw new Refusal("commitment");
    if (this.#seenAt(nonce, nowMs) !== undefined) throw new Refusal("replay");
    this.#seen.set(halfOf(nonce), { nonce: hex(nonce), hello: identity, untilMs: nowMs + SEEN_MS });
    const { secret, sessionId } = this.#fresh(nonce);
    const own = publicKey(secret);
    const noise = make(secret);
    noise.read(message);
    const head: Fields = {
      type: { text: "RESPONSE" },
      node_id: { bytes: config.alias },
      challenge_metadata: { bytes: "" },
      timestamp: { int: nowMs.toString() },
      suite: { int: String(suite) },
      session_id: { bytes: hex(sessionId) },
    };
    noise.mixHash(encodeFields(head));
    let second: Uint8Array;
    try {
      const resumed: Fields = ticket === undefined ? {} : { resumed: { bool: true } };
      second = noise.write(encodeValue(toTypedDict({ ...config.payload, ...resumed })));
    } catch {
      // The initiator's ephemeral key leads to an all-zero shared secret.
      throw new Refusal("crypto");
    }
    const response = frameOf({
      ...head,
      nonce: { bytes: hex(own) },
      challenge: { bytes: hex(second.slice(32)) },
    });
    this.#open.set(hex(sessionId), {
      noise,
      sessionId,
      suite,
      response,
      hello: identity,
      ticket,
      from,
      elsewhere: 0,
    });
    return { sent: response };
  }

  /** The next ephemeral key that makes a session id which nothing has. */
  #fresh(nonce: Uint8Array): { secret: Uint8Array; sessionId: Uint8Array } {
    const keys = [this.#config.ephemeral].flat();
    for (let tries = 0; tries < SESSION_ID_TRIES; tries++) {
      const secret = unhex(keys[Math.min(this.#ephemerals++, keys.length - 1)] as string);
      const sessionId = sessionIdOf(nonce, publicKey(secret));
      const zero = sessionId.every((byte) => byte === 0);
      if (!zero && !this.#open.has(hex(sessionId))) return { secret, sessionId };
    }
    throw new Refusal("session_id");
  }

  #proof(fields: Fields, frame: string, nowMs: bigint): Omit<Outcome, "verdict"> {
    const open = this.#open.get(hex(bytesOf(fields, "session_id")));
    if (open === undefined) throw new Refusal("attempt");
    const { proven } = open;
    if (proven !== undefined) {
      // SPEC 6.3: an identical one gets the stored FINAL, for 10 s and at most 5 times.
      const { final, acceptedMs } = proven;
      if (acceptedMs !== undefined && nowMs - acceptedMs > FINAL_MS) throw new Refusal("attempt");
      const repeated = proven.frame === frame && final !== undefined;
      if (!repeated || proven.repeats++ === 5) throw new Refusal("duplicate");
      return { sent: final };
    }
    const noise = open.noise.clone();
    noise.mixHash(encodeFields(without(fields, "proof")));
    const payload = noise.read(bytesOf(fields, "proof"));
    if (payload === undefined) throw new Refusal("crypto");
    const config = this.#config;
    const peer = hex(noise.remoteStatic as Uint8Array);
    open.proven = { frame, repeats: 0 };
    let parameters: Fields;
    const { ticket } = open;
    const fresh = ticket === undefined || this.#tickets.spend(ticket, nowMs);
    try {
      if (peer === hex(publicKey(staticSecret(unhex(config.node_seed))))) throw new Refusal("self");
      // SPEC 15.2.5
      if (ticket !== undefined && ticket.node_id !== peer) throw new Refusal("identity");
      if (!fresh) throw new Refusal("ticket");
      parameters = readParameters(payload, {
        suite: open.suite,
        version: 1,
        ownSuites: config.suites,
        ownVersions: VERSIONS,
        ownApp: appOf(config.payload),
        fromInitiator: true,
      });
    } catch (error) {
      if (error instanceof Refusal) throw new FatalRefusal(error.code);
      throw error;
    }
    const { sessionId, suite } = open;
    const secrets = schedule(noise.split(3), noise.hash);
    const resumed = ticket !== undefined;
    this.session = { sessionId, suite, hash: noise.hash, secrets, peer, parameters, resumed };
    return {};
  }
}
