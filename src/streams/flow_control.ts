/**
 * Credit of one stream or of the session, one class per direction (SPEC 8).
 *
 * @module
 */

/**
 * Half of a window read within 2 RTT. One round trip is on its way, a second is gone before a loss is repaired and what
 * waited behind it is read, and credit comes when half of the window was read.
 */
const GROWTH_RTTS = 4;
/**
 * A sender that starts triples its rate per round trip at most: what it may still send covers four times what came
 * within the last one.
 */
const AHEAD_RTTS = 4;
/** Credit for a sender that stands still: less would be a record for a few bytes. */
const ASKED_STEP_BYTES = 1024;

/**
 * What this side grants.
 *
 * A limit is the bytes consumed plus the window. It returns when the application has read half of the
 * window, so that a reader that stops also stops the sender. Where `burst` is set, the limit also stays within that many
 * bytes of what has arrived: what is on its way then fits the receive buffer of the system.
 */
export class ReceiveCredit {
  readonly #maxWindow: number;
  /** Most bytes that may be on their way at once. */
  burst: number = Infinity;
  /** Sum of the highest offsets received. */
  arrived: number = 0;
  #window: number;
  /** Where the window ended when half of it had been read last. */
  #windowEnd: number;
  #limit: number;
  #consumed = 0;
  #lastConsumed = 0;
  #lastUpdateMs: number | undefined;
  /** The peer has said that it stands at the limit. */
  #isAsked = false;
  #roundMs = -Infinity;
  #roundArrived = 0;
  /** Most bytes that arrived within one of the last two round trips. */
  #perRound = 0;

  /** `granted`: what the peer was told at the start, if that is less than the window. */
  constructor(window: number, maxWindow: number, granted: number = window) {
    this.#window = window;
    this.#maxWindow = Math.max(window, maxWindow);
    this.#windowEnd = window;
    this.#limit = granted;
  }

  /** Highest total the peer was told. */
  get limit(): number {
    return this.#limit;
  }

  get window(): number {
    return this.#window;
  }

  get consumed(): number {
    return this.#consumed;
  }

  consume(bytes: number): void {
    this.#consumed += bytes;
  }

  /**
   * Bytes arrived while the reader had taken all that it could: it waits for the path, which lost some or is faster
   * than before. A window that then leaves too little ahead of what comes grows at once, without being read: else
   * every loss of a fast path, whose repair takes a round trip or more, would stop the sender.
   *
   * @param rttMs Undefined or 0: no growth.
   */
  follow(nowMs: number, rttMs: number | undefined): void {
    if (rttMs === undefined || rttMs <= 0) return;
    const came = this.arrived - this.#roundArrived;
    const elapsedMs = nowMs - this.#roundMs;
    if (elapsedMs >= rttMs) {
      this.#perRound = came * rttMs / elapsedMs;
      this.#roundMs = nowMs;
      this.#roundArrived = this.arrived;
    } else if (came > this.#perRound) this.#perRound = came;
    const ahead = this.#consumed + this.#window - this.arrived;
    if (ahead >= AHEAD_RTTS * this.#perRound || !this.#holdsBack()) return;
    this.#window = Math.min(2 * this.#window, this.#maxWindow);
  }

  /**
   * The peer stands at `limit`. SPEC 8.4.3: half of the window may lie unread on streams that nobody reads, and the others
   * would never be told of what was read of them.
   */
  ask(limit: number): void {
    if (limit === this.#limit) this.#isAsked = true;
  }

  /**
   * True when half of the window was read, or half of the burst arrived, since the last update; less will do for a peer
   * that stands still.
   */
  get updateDue(): boolean {
    const half = Math.min(this.#window, this.burst) / 2;
    // A window of zero grants nothing, and no reading changes that.
    return half > 0 &&
      this.#target() - this.#limit >= (this.#isAsked ? Math.min(half, ASKED_STEP_BYTES) : half);
  }

  /** The limit to tell the peer now. `rttMs` undefined: no growth. */
  update(nowMs: number, rttMs: number | undefined): number {
    if (2 * (this.#consumed + this.#window - this.#windowEnd) >= this.#window) {
      this.#grow(nowMs, rttMs);
    }
    this.#isAsked = false;
    // SPEC 8: limits never shrink.
    this.#limit = Math.max(this.#limit, this.#target());
    return this.#limit;
  }

  #grow(nowMs: number, rttMs: number | undefined): void {
    const elapsedMs = nowMs - (this.#lastUpdateMs ?? -Infinity);
    const read = this.#consumed - this.#lastConsumed;
    this.#lastUpdateMs = nowMs;
    this.#lastConsumed = this.#consumed;
    // SPEC 8: a window of less than 4 RTT of what is read holds the sender back, not the reader; or the burst does.
    if (
      this.#holdsBack() && rttMs !== undefined &&
      this.#window * elapsedMs < GROWTH_RTTS * rttMs * read
    ) {
      this.#window = Math.min(2 * this.#window, this.#maxWindow);
    }
    this.#windowEnd = this.#consumed + this.#window;
  }

  /** The window and not the burst bounds what the peer may send. */
  #holdsBack(): boolean {
    return this.#consumed + this.#window <= this.arrived + this.burst;
  }

  #target(): number {
    return Math.min(this.#consumed + this.#window, this.arrived + this.burst);
  }
}

/** What the peer granted. */
export class SendCredit {
  /** Bytes used and not acknowledged. */
  inFlight: number = 0;
  #limit: number;
  #used = 0;
  #blockedAt: number | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  get used(): number {
    return this.#used;
  }

  get available(): number {
    return this.#limit - this.#used;
  }

  use(bytes: number): void {
    this.#used += bytes;
    this.inFlight += bytes;
  }

  /** Returns true when `limit` is news. SPEC 8: lower values are late, not a withdrawal. */
  raise(limit: number): boolean {
    if (limit <= this.#limit) return false;
    this.#limit = limit;
    return true;
  }

  /** True the first time that sending stops at the present limit: BLOCKED is sent once per limit. */
  noteBlocked(): boolean {
    if (this.#blockedAt === this.#limit) return false;
    this.#blockedAt = this.#limit;
    return true;
  }
}
