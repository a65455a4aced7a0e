/**
 * Which packets arrived, which are lost, and when to ask (RFC 9002, section 6; SPEC 10).
 *
 * @module
 */
import type { AckRecord } from "../../codec/records.ts";
import { SttError } from "../../errors.ts";
import { Queue } from "../../streams/queue.ts";
import { LostSequences } from "./lost_sequences.ts";
import { PacketHistory } from "./packet_history.ts";
import { Reordering } from "./reordering.ts";
import type { RttEstimator } from "./rtt.ts";
import type { SentPacket } from "./sent_packet.ts";

/** Options of {@link LossRecovery}. */
export interface LossRecoveryConfig {
  /** Fed with samples and asked for deadlines. */
  readonly rtt: RttEstimator;
  /** What the peer may wait with an ACK, in ms. */
  readonly maxAckDelayMs: number;
}

/** What an ACK changed. The object and its arrays are reused by the next call on any session. */
export interface AckOutcome {
  /** Acknowledged for the first time and not declared lost before, ascending. */
  readonly acked: SentPacket[];
  /** Declared lost, ascending; path MTU probes and packets that do not count as in flight are not among them. */
  readonly lost: SentPacket[];
  /** Path MTU probes declared lost: no business of congestion control. */
  readonly lostProbes: SentPacket[];
  /** The RTT estimate took a sample. */
  rttSampled: boolean;
  /** Packets acknowledged now that had been declared lost. */
  spurious: number;
  /** Their sequences. */
  readonly spuriousSequences: number[];
  /** The ACK broke a rule: close with this. Nothing was changed. */
  error: SttError | undefined;
  /** Losses span so long that the window should start over (RFC 9002, 7.6). */
  persistentCongestion: boolean;
}

/** What a deadline changed. The object and its arrays are reused by the next call on any session. */
export interface TimeoutOutcome {
  /** Declared lost, ascending; path MTU probes are not among them. */
  readonly lost: SentPacket[];
  /** Path MTU probes declared lost. */
  readonly lostProbes: SentPacket[];
  /** Ack-eliciting packets to send now whatever the window says: 0 to 2. */
  probes: number;
  /** As in {@link AckOutcome}. */
  persistentCongestion: boolean;
}

/** Losses over this many probe timeouts are persistent congestion. */
const PERSISTENT_PTOS = 3;
const MAX_PTO_COUNT = 16;
/** A path that comes back should not wait longer than this for the next probe. */
const MAX_PTO_MS = 60_000;
/** Packets kept that ask for no ACK, while the peer sends without ever acknowledging. */
const MAX_NOT_ELICITING = 1024;
const MAX_SPAN = 1_048_576;

// The caller is done with an outcome before it turns to another session, so that none needs its own.
const ACK_OUTCOME: AckOutcome = {
  acked: [],
  lost: [],
  lostProbes: [],
  rttSampled: false,
  spurious: 0,
  spuriousSequences: [],
  error: undefined,
  persistentCongestion: false,
};
const TIMEOUT_OUTCOME: TimeoutOutcome = {
  lost: [],
  lostProbes: [],
  probes: 0,
  persistentCongestion: false,
};

/**
 * The sender's view of all packets of a connection. Every frame sent under the session's keys is given to `onSent`, in
 * order of sequence.
 */
export class LossRecovery {
  /** What the peer may wait with an ACK, in ms; may change once its parameters are known. */
  maxAckDelayMs: number;
  readonly #rtt: RttEstimator;
  readonly #history: PacketHistory = new PacketHistory();
  readonly #lostBefore: LostSequences = new LostSequences();
  readonly #reordering: Reordering = new Reordering();
  readonly #notEliciting: Queue<number> = new Queue();
  #end = 0;
  #bytesInFlight = 0;
  #elicitingInFlight = 0;
  #largestAcked = -1;
  #ptoCount = 0;
  /** The later of the last ack-eliciting packet and the last probe timeout: probes that could not go out do not make a busy loop. */
  #ptoFromMs = 0;
  #lossTime: number | undefined;
  #firstSampleMs = Infinity;
  #run: SentPacket | undefined;
  #spurious = 0;

  constructor(config: LossRecoveryConfig) {
    this.#rtt = config.rtt;
    this.maxAckDelayMs = config.maxAckDelayMs;
  }

  /** Bytes that count against the congestion window. */
  get bytesInFlight(): number {
    return this.#bytesInFlight;
  }

  /** Probe timeouts since the last packet was acknowledged. */
  get ptoCount(): number {
    return this.#ptoCount;
  }

  /** Highest sequence acknowledged, -1 before the first. */
  get largestAcked(): number {
    return this.#largestAcked;
  }

  /** The packet that is on its way longest. */
  get oldestInFlight(): SentPacket | undefined {
    return this.#history.from(0);
  }

  /** The ack-eliciting packet that is on its way longest, path MTU probes aside. */
  get oldestEliciting(): SentPacket | undefined {
    let packet = this.#history.from(0);
    while (packet !== undefined && (!packet.ackEliciting || packet.mtuProbe)) {
      packet = this.#history.from(packet.sequence + 1);
    }
    return packet;
  }

  /** Packets remembered until they are acknowledged or lost. */
  get packetsHeld(): number {
    return this.#history.size;
  }

  /** True while a packet that asks for an ACK is on its way. */
  get hasInFlight(): boolean {
    return this.#elicitingInFlight > 0;
  }

  /** The peer lets the session send and acknowledges nothing: over 2^20 frames since the oldest without an answer. Close. */
  get stalled(): boolean {
    return this.#history.span > MAX_SPAN;
  }

  /** Packets of all ACKs that arrived though they had been declared lost. */
  get spuriousLosses(): number {
    return this.#spurious;
  }

  /** A packet went out; its sequence is above all before. */
  onSent(packet: SentPacket): void {
    this.#end = packet.sequence + 1;
    this.#history.add(packet);
    if (packet.inFlight) this.#bytesInFlight += packet.size;
    if (packet.ackEliciting) {
      this.#elicitingInFlight++;
      this.#ptoFromMs = Math.max(this.#ptoFromMs, packet.sentMs);
    } else {
      this.#boundNotEliciting(packet);
    }
  }

  /** The peer's ACK. */
  onAck(record: AckRecord, nowMs: number): AckOutcome {
    const outcome = ACK_OUTCOME;
    outcome.acked.length = 0;
    outcome.lost.length = 0;
    outcome.lostProbes.length = 0;
    outcome.rttSampled = false;
    outcome.spurious = 0;
    outcome.spuriousSequences.length = 0;
    outcome.error = undefined;
    outcome.persistentCongestion = false;
    if (record.largest >= this.#end) {
      outcome.error = new SttError(
        "PROTOCOL",
        `cannot take ACK: sequence ${record.largest} was never sent, the next is ${this.#end}`,
        { limit: this.#end - 1 },
      );
      return outcome;
    }
    const largest = Math.max(record.largest, this.#largestAcked);
    const newlyEliciting = this.#takeAcked(record, largest, outcome, nowMs);
    this.#largestAcked = largest;
    const newest = outcome.acked[outcome.acked.length - 1];
    if (newest !== undefined || outcome.spurious > 0) this.#ptoCount = 0;
    if (newest === undefined) return outcome;
    // An ACK that does not move the top would measure how long the peer took to repeat itself.
    if (newest.sequence === record.largest && newlyEliciting) {
      const delayMs = Math.min(record.delayUs / 1000, this.maxAckDelayMs);
      this.#rtt.update(nowMs - newest.sentMs, delayMs);
      if (this.#firstSampleMs === Infinity) this.#firstSampleMs = nowMs;
      outcome.rttSampled = true;
    }
    outcome.persistentCongestion = this.#detectLost(outcome.lost, outcome.lostProbes, nowMs);
    return outcome;
  }

  /** When `onTimeout` wants to be called next; undefined when nothing waits for an ACK. */
  nextTimeout(): number | undefined {
    if (this.#lossTime !== undefined) return this.#lossTime;
    if (this.#elicitingInFlight === 0) return undefined;
    const pto = this.#rtt.pto(this.maxAckDelayMs) * 2 ** this.#ptoCount;
    return this.#ptoFromMs + Math.min(pto, MAX_PTO_MS);
  }

  /** The clock moved; does nothing before {@link LossRecovery.nextTimeout}. */
  onTimeout(nowMs: number): TimeoutOutcome {
    const outcome = TIMEOUT_OUTCOME;
    outcome.lost.length = 0;
    outcome.lostProbes.length = 0;
    outcome.probes = 0;
    outcome.persistentCongestion = false;
    const deadline = this.nextTimeout();
    if (deadline === undefined || nowMs < deadline) return outcome;
    if (this.#lossTime !== undefined) {
      outcome.persistentCongestion = this.#detectLost(outcome.lost, outcome.lostProbes, nowMs);
      return outcome;
    }
    // A second probe is cheap, and one lost datagram then costs no doubled timeout.
    outcome.probes = this.#elicitingInFlight > 1 || this.#ptoCount > 0 ? 2 : 1;
    this.#ptoCount = Math.min(this.#ptoCount + 1, MAX_PTO_COUNT);
    this.#ptoFromMs = nowMs;
    return outcome;
  }

  /**
   * The peer was silent, and something arrives again: what waits for a late probe may go soon. The first probe timeout
   * counts from now; without an answer they double as before.
   */
  onPeerBack(nowMs: number): void {
    if (this.#ptoCount <= 1) return;
    this.#ptoCount = 1;
    this.#ptoFromMs = nowMs;
  }

  /** The path is another one and its RTT was reset: forgets back-off and reordering, keeps the packets. */
  onPathChange(): void {
    this.#ptoCount = 0;
    this.#firstSampleMs = Infinity;
    this.#run = undefined;
    this.#reordering.reset();
  }

  /** Forgets all packets and returns those that were on their way, ascending: the path they went is no more. */
  discardAll(): SentPacket[] {
    const discarded: SentPacket[] = [];
    for (let packet = this.#history.from(0); packet !== undefined; packet = this.#history.from(0)) {
      this.#history.remove(packet);
      discarded.push(packet);
    }
    this.#notEliciting.clear();
    this.#lostBefore.clear();
    this.#run = undefined;
    this.#bytesInFlight = 0;
    this.#elicitingInFlight = 0;
    this.#ptoCount = 0;
    this.#lossTime = undefined;
    return discarded;
  }

  /** Moves what the ranges name into `outcome.acked`; true when one of them asked for an ACK. */
  #takeAcked(record: AckRecord, largest: number, outcome: AckOutcome, nowMs: number): boolean {
    let eliciting = false;
    // Ranges come from the highest down, `acked` goes up.
    for (let index = record.ranges.length - 1; index >= 0; index--) {
      const [low, high] = record.ranges[index]!;
      const spurious = this.#lostBefore.acked(low, high, outcome.spuriousSequences);
      if (spurious > 0) {
        outcome.spurious += spurious;
        this.#spurious += spurious;
        this.#reordering.onSpurious(largest - this.#lostBefore.lowest, this.#rtt, nowMs);
      }
      let packet = this.#history.from(low);
      while (packet !== undefined && packet.sequence <= high) {
        this.#remove(packet);
        outcome.acked.push(packet);
        if (packet.ackEliciting) eliciting = true;
        packet = this.#history.from(packet.sequence + 1);
      }
    }
    return eliciting;
  }

  /** Returns true for persistent congestion. Sequences and times go up together, so the first packet that is not lost ends the search. */
  #detectLost(lost: SentPacket[], lostProbes: SentPacket[], nowMs: number): boolean {
    this.#lossTime = undefined;
    const delay = this.#reordering.lossDelay(this.#rtt);
    const lostBelow = this.#largestAcked - this.#reordering.packets;
    let persistent = false;
    let packet = this.#history.from(0);
    while (packet !== undefined && packet.sequence < this.#largestAcked) {
      if (packet.sequence > lostBelow && packet.sentMs + delay > nowMs) {
        this.#lossTime = packet.sentMs + delay;
        break;
      }
      this.#remove(packet);
      this.#lostBefore.add(packet.sequence);
      if (packet.mtuProbe) {
        lostProbes.push(packet);
      } else if (packet.inFlight) {
        // Bare ACKs and PATH records to other addresses are no sign of congestion, and nothing of them goes again.
        lost.push(packet);
        if (packet.ackEliciting && this.#extendsRun(packet)) persistent = true;
      }
      packet = this.#history.from(packet.sequence + 1);
    }
    if (lost.length > 0) this.#reordering.onLoss(this.#rtt, nowMs);
    return persistent;
  }

  /** RFC 9002, 7.6.2: ack-eliciting packets at both ends, everything between lost, and an RTT known before the first. */
  #extendsRun(packet: SentPacket): boolean {
    const first = this.#run;
    if (first === undefined || !this.#lostBefore.covers(first.sequence, packet.sequence)) {
      this.#run = packet.sentMs >= this.#firstSampleMs ? packet : undefined;
      return false;
    }
    const span = this.#rtt.pto(this.maxAckDelayMs) * PERSISTENT_PTOS;
    if (packet.sentMs - first.sentMs <= span) return false;
    this.#run = packet;
    return true;
  }

  #remove(packet: SentPacket): void {
    this.#history.remove(packet);
    if (packet.inFlight) this.#bytesInFlight -= packet.size;
    if (packet.ackEliciting) this.#elicitingInFlight--;
  }

  #boundNotEliciting(packet: SentPacket): void {
    const queue = this.#notEliciting;
    queue.push(packet.sequence);
    if (queue.length <= MAX_NOT_ELICITING) return;
    const sequence = queue.shift()!;
    const oldest = this.#history.from(sequence);
    if (oldest?.sequence === sequence) this.#remove(oldest);
  }
}
