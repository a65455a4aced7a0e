/**
 * Where the peer is: validation of its address and migration to another (SPEC 10).
 *
 * @module
 */
import { sameToken, TOKEN_BYTES } from "../same_token.ts";
import { OldAddress } from "./old_address.ts";

/** Where datagrams go to or come from. Hosts are numeric and in one spelling. */
export interface PathAddress {
  /** Numeric IPv4 or IPv6 address. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** A record to send, alone in a datagram, to an address that need not be the peer's. */
export interface PathProbe {
  readonly type: "pathChallenge" | "pathResponse";
  readonly to: PathAddress;
  /** 8 bytes. */
  readonly token: Uint8Array;
  /** Bytes the datagram may have at most: the 3x rule. */
  readonly limit: number;
}

/** What came of the validation of a new address. */
export type PathChange =
  /** The new address answered: everything goes there now. Unless only the port changed, RTT, window and MTU start over. */
  | {
    readonly kind: "moved";
    readonly from: PathAddress;
    readonly to: PathAddress;
    readonly portOnly: boolean;
    /** Round trip of the challenge in ms; undefined when more than one went out. */
    readonly rttMs: number | undefined;
  }
  /** It did not, or the peer went on from the old address: nothing changes. */
  | { readonly kind: "stayed"; readonly rejected: PathAddress; readonly oldAnswered: boolean };

/** Options of {@link Path}. */
export interface PathConfig {
  /** Where the handshake took place. */
  readonly remote: PathAddress;
  /** The handshake proved that the peer receives at `remote`. */
  readonly validated: boolean;
  /** Follow the peer to other addresses. */
  readonly migrate: boolean;
  /** Random bytes for tokens. */
  readonly random: (length: number) => Uint8Array;
}

/** SPEC 10: nobody gets more than this many times what came from there before it answered. */
const AMPLIFICATION = 3;
/** Challenges per address, each waits twice as long as the one before; the first for a probe timeout. */
const CHALLENGES = 3;
/** Answers that wait to be sent; a peer that asks for more gets the latest. */
const MAX_RESPONSES = 4;

interface Candidate {
  readonly address: PathAddress;
  readonly token: Uint8Array;
  readonly ptoMs: number;
  /** Bytes that may still go to the new address. */
  budget: number;
  /** Rounds of challenges that are over. */
  round: number;
  /** When the first challenge went to the new address. */
  sentMs: number | undefined;
  /** When the next challenges, or the decision, are due. */
  dueMs: number;
  oldAnswered: boolean;
  /** Challenges of this round that wait to be sent. */
  newDue: boolean;
  oldDue: boolean;
}

interface Response {
  readonly to: PathAddress;
  readonly token: Uint8Array;
  /** Three times the datagram it answers. */
  readonly earned: number;
}

/**
 * Everything goes to `remote` until a new address has answered: copied packets with a spoofed source divert nothing. One
 * address is examined at a time.
 */
export class Path {
  #remote: PathAddress;
  #validated: boolean;
  readonly #migrate: boolean;
  readonly #random: (length: number) => Uint8Array;
  readonly #old: OldAddress;
  /** Bytes that may go to `remote` while it is not validated. */
  #budget = 0;
  #highest = -1;
  #candidate: Candidate | undefined;
  #stayed: PathChange | undefined;
  readonly #responses: Response[] = [];

  constructor(config: PathConfig) {
    this.#remote = config.remote;
    this.#validated = config.validated;
    this.#migrate = config.migrate;
    this.#random = config.random;
    this.#old = new OldAddress(config.random);
  }

  /** Where packets go. */
  get remote(): PathAddress {
    return this.#remote;
  }

  /** The peer proved that it receives at `remote`. */
  get validated(): boolean {
    return this.#validated;
  }

  /** Bytes that may go to `remote` now. */
  get allowance(): number {
    return this.#validated ? Infinity : Math.max(this.#budget, 0);
  }

  /**
   * The peer seems to have left `remote` and its new address has not answered yet: what is sent now is probably lost, so
   * bulk data should wait. Ends after a round trip, or as soon as the old address shows a sign of life.
   */
  get holdBulk(): boolean {
    return this.#candidate !== undefined && !this.#candidate.oldAnswered;
  }

  /** False: drop the datagram before anything else looks at it (`migrate: false`). */
  accepts(host: string, port: number): boolean {
    return this.#migrate || this.#isRemote(host, port);
  }

  /** A datagram of `bytes` with a verified frame arrived: three times that may go back. */
  onDatagram(host: string, port: number, bytes: number): void {
    const candidate = this.#candidate;
    if (this.#isRemote(host, port)) {
      if (!this.#validated) this.#budget += AMPLIFICATION * bytes;
    } else if (candidate !== undefined && isAt(candidate.address, host, port)) {
      candidate.budget += AMPLIFICATION * bytes;
    }
  }

  /**
   * A verified frame arrived.
   *
   * @param bytes Of the datagram it came in, already given to `onDatagram`.
   * @param probing It holds nothing but PATH_CHALLENGE, PATH_RESPONSE, PADDING and ACK: no reason to move.
   * @param ptoMs Probe timeout of now, the rhythm of the challenges.
   */
  onFrame(
    host: string,
    port: number,
    bytes: number,
    sequence: number,
    probing: boolean,
    nowMs: number,
    ptoMs: number,
  ): void {
    if (sequence <= this.#highest) return;
    this.#highest = sequence;
    if (probing) return;
    const candidate = this.#candidate;
    if (this.#isRemote(host, port)) {
      // The newest frame came from the old address after all: reordered copies, not a move.
      if (candidate === undefined) return;
      this.#old.alive(nowMs);
      this.#stay(candidate, true);
      return;
    }
    if (!this.#migrate || (candidate !== undefined && isAt(candidate.address, host, port))) return;
    if (candidate !== undefined) this.#stay(candidate, candidate.oldAnswered);
    const oldAnswered = this.#old.isAlive(nowMs, ptoMs);
    this.#candidate = {
      address: { host, port },
      token: this.#random(TOKEN_BYTES),
      ptoMs,
      budget: AMPLIFICATION * bytes,
      round: 0,
      sentMs: undefined,
      dueMs: nowMs + ptoMs,
      oldAnswered,
      newDue: true,
      oldDue: !oldAnswered && this.#old.isUnasked(nowMs, ptoMs),
    };
  }

  /** PATH_CHALLENGE arrived in a datagram of `bytes`: it is answered to where it came from. */
  onChallenge(token: Uint8Array, host: string, port: number, bytes: number): void {
    if (this.#responses.length >= MAX_RESPONSES) this.#responses.shift();
    this.#responses.push({
      to: { host, port },
      token: token.slice(),
      earned: AMPLIFICATION * bytes,
    });
  }

  /** PATH_RESPONSE arrived, from wherever: the token tells which address it was sent to. */
  onResponse(token: Uint8Array, nowMs: number): PathChange | undefined {
    const candidate = this.#candidate;
    if (candidate === undefined) return undefined;
    const asked = this.#old.token;
    if (asked !== undefined && sameToken(token, asked)) {
      this.#old.alive(nowMs);
      candidate.oldAnswered = true;
      candidate.oldDue = false;
      return undefined;
    }
    const { sentMs, round } = candidate;
    if (sentMs === undefined || !sameToken(token, candidate.token)) return undefined;
    const from = this.#remote;
    this.#remote = candidate.address;
    this.#validated = true;
    this.#candidate = undefined;
    this.#old.reset();
    return {
      kind: "moved",
      from,
      to: candidate.address,
      portOnly: from.host === candidate.address.host,
      rttMs: round === 0 ? nowMs - sentMs : undefined,
    };
  }

  /** The peer proved by other means that it receives at `remote`. */
  onValidated(): void {
    this.#validated = true;
  }

  /** Takes the next PATH record to send. A datagram of up to `limit` bytes must hold it, given to `onSent` afterwards. */
  nextProbe(smallestDatagram: number, nowMs: number): PathProbe | undefined {
    for (let next = this.#responses.shift(); next !== undefined; next = this.#responses.shift()) {
      const { to, token } = next;
      const limit = this.#limitTo(to, next.earned);
      if (limit >= smallestDatagram) return { type: "pathResponse", to, token, limit };
    }
    const candidate = this.#candidate;
    if (candidate === undefined) return undefined;
    if (candidate.newDue && candidate.budget >= smallestDatagram) {
      candidate.newDue = false;
      candidate.sentMs ??= nowMs;
      const { address: to, token, budget: limit } = candidate;
      return { type: "pathChallenge", to, token, limit };
    }
    if (candidate.oldDue && this.allowance >= smallestDatagram) {
      candidate.oldDue = false;
      const token = this.#old.ask(nowMs);
      return { type: "pathChallenge", to: this.#remote, token, limit: this.allowance };
    }
    return undefined;
  }

  /** A datagram went to an address. */
  onSent(host: string, port: number, bytes: number): void {
    if (this.#isRemote(host, port)) {
      if (!this.#validated) this.#budget -= bytes;
    } else if (this.#candidate !== undefined && isAt(this.#candidate.address, host, port)) {
      this.#candidate.budget -= bytes;
    }
  }

  /** When the next challenges or the decision are due. */
  nextTimeout(): number | undefined {
    return this.#candidate?.dueMs;
  }

  /** The clock moved: more challenges, or the decision to stay, to be had from `takeStayed`. */
  onTimeout(nowMs: number): void {
    const candidate = this.#candidate;
    if (candidate === undefined || nowMs < candidate.dueMs) return;
    candidate.round++;
    if (candidate.round >= CHALLENGES) {
      this.#stay(candidate, candidate.oldAnswered);
      return;
    }
    candidate.newDue = true;
    candidate.oldDue = !candidate.oldAnswered;
    candidate.dueMs = nowMs + candidate.ptoMs * 2 ** candidate.round;
  }

  /** The last decision to stay, once. */
  takeStayed(): PathChange | undefined {
    const stayed = this.#stayed;
    this.#stayed = undefined;
    return stayed;
  }

  #stay(candidate: Candidate, oldAnswered: boolean): void {
    const { host, port } = candidate.address;
    // Their bytes were in the budget that ends here.
    const kept = this.#responses.filter(({ to }) => !isAt(to, host, port));
    this.#responses.splice(0, this.#responses.length, ...kept);
    this.#candidate = undefined;
    this.#stayed = { kind: "stayed", rejected: candidate.address, oldAnswered };
  }

  /** What a datagram earned counts once: where a budget is kept it is in there. */
  #limitTo(to: PathAddress, earned: number): number {
    if (this.#isRemote(to.host, to.port)) return this.allowance;
    const candidate = this.#candidate;
    return candidate !== undefined && isAt(candidate.address, to.host, to.port)
      ? candidate.budget
      : earned;
  }

  #isRemote(host: string, port: number): boolean {
    return isAt(this.#remote, host, port);
  }
}

/** True for addresses of this machine alone: 127.0.0.0/8 and ::1. */
export function isLoopback(host: string): boolean {
  return host.startsWith("127.") || host === "::1";
}

function isAt(address: PathAddress, host: string, port: number): boolean {
  return address.port === port && address.host === host;
}
