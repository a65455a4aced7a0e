/**
 * Sending where packets get lost: acknowledgements, loss recovery, congestion control, pacing and path MTU behind one
 * class (SPEC 10). Connections over reliable transports have none.
 *
 * @module
 */
import type { AckRecord } from "../codec/records.ts";
import type { CongestionController, CongestionControlName } from "./congestion/controller.ts";
import { controllerFor } from "./congestion/controllers.ts";
import { Pacer } from "./congestion/pacer.ts";
import { AckTracker } from "./recovery/ack_tracker.ts";
import { DeliveryRate } from "./recovery/delivery_rate.ts";
import { LossRate } from "./recovery/loss_rate.ts";
import { LossRecovery } from "./recovery/loss_recovery.ts";
import { PathMtu } from "./recovery/path_mtu.ts";
import { RttEstimator } from "./recovery/rtt.ts";
import { type PacketFields, type SentPacket, sentPacket } from "./recovery/sent_packet.ts";
import type { ConnectionTrace } from "./tracing.ts";

/** A process that sends later than the pacer allowed by more than this was the bottleneck itself, as if it had no data. */
const LATE_MS = 5;
/** A path from which nothing came for this long was interrupted. */
const SILENT_PTOS = 2;

/** Options of a path. */
export interface TransmissionConfig {
  /** How long this side may hold an acknowledgement back, ms. */
  readonly ackDelay: number;
  /** Packets per acknowledgement that the peer asked for. */
  readonly ackEvery: number;
  /** How long the peer may hold one back, ms. */
  readonly peerAckDelay: number;
  /** The congestion control algorithm. */
  readonly congestion: CongestionControlName;
  /** Both ends are on one machine: packets may be far larger (SPEC 10.5). */
  readonly loopback: boolean;
  /** Datagram size that the application vouches for. */
  readonly pathMtu?: number;
  /** Largest datagram that the peer takes. */
  readonly peerMaxUdp: number;
  /** First credit of the peer for the session. */
  readonly peerMaxData: number;
}

/** What to do with packets whose fate is known. */
export interface PacketFates {
  acked(packet: SentPacket): void;
  lost(packet: SentPacket): void;
}

/** State and counters of an unreliable path. */
export interface TransmissionStats {
  /** Name of the congestion controller. */
  readonly congestion: string;
  /** Its phase, in its own words. */
  readonly state: string;
  /** Congestion window, bytes. */
  readonly window: number;
  /** Bytes sent and neither acknowledged nor lost. */
  readonly bytesInFlight: number;
  /** Packets remembered until they are acknowledged or lost. */
  readonly packetsHeld: number;
  /** Ranges of received sequences that are remembered; at most 64. */
  readonly ackRanges: number;
  /** Bytes per millisecond; undefined: not paced. */
  readonly pacingRate: number | undefined;
  /** UDP payload bytes of a full packet. */
  readonly packetSize: number;
  /** Packets declared lost. */
  readonly packetsLost: number;
  /** Packets acknowledged after they had been declared lost. */
  readonly spuriousLosses: number;
  /** Times the peer was silent for so long that a probe went out. */
  readonly probeTimeouts: number;
}

/** The sending side of one unreliable path, and the acknowledging side of the other direction. */
export class Transmission {
  readonly rtt: RttEstimator = new RttEstimator();
  readonly acks: AckTracker;
  mtu: PathMtu;
  readonly #config: TransmissionConfig;
  readonly #fates: PacketFates;
  readonly #trace: ConnectionTrace | undefined;
  readonly #loss: LossRecovery;
  readonly #lossRate: LossRate = new LossRate();
  #pacer: Pacer;
  #rate: DeliveryRate = new DeliveryRate();
  #controller: CongestionController;
  #probes = 0;
  #packetsLost = 0;
  #spurious = 0;
  #probeTimeouts = 0;
  #waiting = false;
  /** When the pacer lets the next packet go, once it was asked. */
  #pacedUntil = Infinity;
  #receivedMs = 0;

  constructor(config: TransmissionConfig, fates: PacketFates, trace?: ConnectionTrace) {
    this.#config = config;
    this.#trace = trace;
    this.#fates = fates;
    this.acks = new AckTracker({
      ackDelayMs: config.ackDelay,
      ackEvery: config.ackEvery,
      rtt: this.rtt,
    });
    this.mtu = this.#newMtu(config.loopback);
    this.#loss = new LossRecovery({ rtt: this.rtt, maxAckDelayMs: config.peerAckDelay });
    this.#pacer = new Pacer(this.mtu.current);
    this.#controller = controllerFor(config.congestion, this.mtu.current);
  }

  #newMtu(loopback: boolean): PathMtu {
    const { peerMaxUdp, peerMaxData, pathMtu } = this.#config;
    const peer = { peerMaxUdp, peerMaxData };
    return new PathMtu({ loopback, ...peer, ...(pathMtu === undefined ? {} : { pathMtu }) });
  }

  /** UDP payload bytes of a full packet. */
  get packetSize(): number {
    return this.mtu.sizeAfter(this.#loss.ptoCount);
  }

  /** Share of the last 1024 packets that was lost, 0 to 1. */
  get lossRate(): number {
    return this.#lossRate.value;
  }

  /** Probe timeout in ms: how long the peer may take to answer. */
  get ptoMs(): number {
    return this.rtt.pto(this.#config.peerAckDelay);
  }

  /** Packets that must go out now whatever the window says. */
  get probes(): number {
    return this.#probes;
  }

  /** Probe timeouts since the peer last acknowledged something. */
  get ptoCount(): number {
    return this.#loss.ptoCount;
  }

  /** The packet with content that is on its way longest: what a probe should repeat. */
  get oldestInFlight(): SentPacket | undefined {
    return this.#loss.oldestEliciting;
  }

  /** The peer acknowledges nothing although it keeps the session going: close. */
  get stalled(): boolean {
    return this.#loss.stalled;
  }

  /** Size of the path MTU probe to send now. Not on a path that is silent or unknown: there a loss says nothing. */
  nextMtuProbe(nowMs: number): number | undefined {
    if (this.#probes > 0 || this.#loss.ptoCount > 0 || this.rtt.samples === 0) return undefined;
    return this.mtu.nextProbe(nowMs);
  }

  /** True when window and pacer let a full packet go. */
  open(nowMs: number): boolean {
    if (this.#probes > 0) return true;
    const size = this.packetSize;
    const { bytesInFlight } = this.#loss;
    const late = nowMs - this.#pacedUntil > LATE_MS;
    // Whoever waits for the window from here on is not late.
    this.#pacedUntil = Infinity;
    if (bytesInFlight + size > this.#controller.window) return false;
    if (late) this.#rate.setAppLimited(bytesInFlight);
    return this.#pacer.budget(nowMs, this.#pacingRate()) >= size;
  }

  /** Nothing is left to send. With room in the window, samples of this time say nothing about the path. */
  idle(): void {
    this.#waiting = false;
    const inFlight = this.#loss.bytesInFlight;
    if (inFlight + this.packetSize <= this.#controller.window) this.#rate.setAppLimited(inFlight);
  }

  /** Something waits for the window or the pacer. */
  blocked(): void {
    this.#waiting = true;
  }

  /**
   * The peer is at another address. What was on its way to the old one goes again, and its loss is no congestion (SPEC
   * 10.6). On another host everything that was learnt starts over; `rttMs` is the first sample there, if there is one.
   */
  onPathChange(
    sameHost: boolean,
    loopback: boolean,
    rttMs: number | undefined,
    nowMs: number,
  ): void {
    const gone = this.#loss.discardAll();
    this.#loss.onPathChange();
    this.#probes = 0;
    if (sameHost) {
      for (const packet of gone) if (packet.mtuProbe) this.mtu.onProbeLost(packet.size, nowMs);
    } else {
      this.rtt.reset();
      if (rttMs !== undefined) this.rtt.update(rttMs, 0);
      this.mtu = this.#newMtu(loopback && this.#config.loopback);
      this.#pacer = new Pacer(this.mtu.current);
      this.#rate = new DeliveryRate();
      this.#controller = controllerFor(this.#config.congestion, this.mtu.current);
    }
    for (const packet of gone) this.#fates.lost(packet);
    this.#followMtu();
    this.#trace?.path(this.rtt, 0, this.stats());
  }

  /** A packet arrived and verified. */
  onReceived(sequence: number, ackEliciting: boolean, urgent: boolean, nowMs: number): void {
    if (nowMs - this.#receivedMs > SILENT_PTOS * this.ptoMs) this.#loss.onPeerBack(nowMs);
    this.#receivedMs = nowMs;
    this.acks.onPacket(sequence, ackEliciting, nowMs, urgent);
  }

  /** A packet was built and goes out now. */
  onSent(fields: PacketFields): void {
    const packet = sentPacket(fields);
    const { sentMs: nowMs, inFlight } = fields;
    if (inFlight && this.#loss.bytesInFlight === 0 && this.#rate.appLimited) {
      this.#controller.onIdleRestart(nowMs);
    }
    this.#rate.onSent(packet, nowMs, this.#loss.bytesInFlight);
    this.#loss.onSent(packet);
    if (packet.mtuProbe) this.mtu.onProbeSent(packet.size);
    else this.mtu.onSent(packet.size);
    if (packet.ackEliciting) this.acks.onElicitingSent();
    if (inFlight) {
      this.#controller.onSent(packet, this.#loss.bytesInFlight, nowMs);
      this.#pacer.onSent(packet.size, nowMs);
      if (this.#probes > 0 && packet.ackEliciting) this.#probes--;
    }
  }

  /**
   * An ACK record. True when it gave an RTT sample.
   *
   * @throws {SttError} `PROTOCOL` for a sequence that was never sent.
   */
  onAck(record: AckRecord, nowMs: number): boolean {
    const outcome = this.#loss.onAck(record, nowMs);
    if (outcome.error !== undefined) throw outcome.error;
    const { acked, lost, lostProbes, persistentCongestion, rttSampled } = outcome;
    this.#spurious += outcome.spurious;
    if (outcome.spurious > 0) {
      this.#lossRate.onSpurious(outcome.spurious);
      this.#controller.onSpuriousLoss(outcome.spuriousSequences);
    }
    for (const packet of acked) this.#rate.onAcked(packet, nowMs);
    for (const packet of lost) this.#rate.onLost(packet);
    const inFlight = this.#loss.bytesInFlight;
    if (lost.length > 0) this.#controller.onLost(lost, persistentCongestion, inFlight, nowMs);
    if (acked.length > 0) {
      const sample = this.#rate.sample(nowMs, this.rtt.min);
      this.#controller.onAcked(acked, sample, this.rtt, inFlight, nowMs);
      this.#probes = 0;
    }
    this.#settle(acked, lost, lostProbes, nowMs);
    return rttSampled;
  }

  #settle(
    acked: readonly SentPacket[],
    lost: readonly SentPacket[],
    lostProbes: readonly SentPacket[],
    nowMs: number,
  ): void {
    this.#packetsLost += lost.length;
    this.#lossRate.onAcked(acked.length);
    this.#lossRate.onLost(lost.length);
    if (acked.length > 0) this.mtu.onAcked(acked);
    if (lost.length > 0) this.mtu.onLost(lost, nowMs);
    for (const packet of acked) {
      if (packet.mtuProbe) this.mtu.onProbeAcked(packet.size);
      if (packet.content.ackLargest >= 0) this.acks.onAckAcked(packet.content.ackLargest);
      this.#fates.acked(packet);
    }
    for (const packet of lostProbes) this.mtu.onProbeLost(packet.size, nowMs);
    for (const packet of lost) this.#fates.lost(packet);
    this.#followMtu();
    if (this.#trace !== undefined) this.#tell(this.#trace, acked, lost, lostProbes);
  }

  #tell(
    trace: ConnectionTrace,
    acked: readonly SentPacket[],
    lost: readonly SentPacket[],
    lostProbes: readonly SentPacket[],
  ): void {
    trace.acked(acked);
    trace.lost(lost);
    trace.lost(lostProbes);
    trace.path(this.rtt, this.#loss.ptoCount, this.stats());
  }

  #followMtu(): void {
    this.#controller.onMtu(this.mtu.current);
    this.#pacer.onMtu(this.mtu.current);
  }

  #pacingRate(): number | undefined {
    return this.#controller.pacingRate;
  }

  nextTimeout(nowMs: number): number | undefined {
    let next = Math.min(
      this.#loss.nextTimeout() ?? Infinity,
      this.acks.nextTimeout() ?? Infinity,
      this.mtu.nextTimeout() ?? Infinity,
    );
    if (this.#waiting && this.#loss.bytesInFlight + this.packetSize <= this.#controller.window) {
      const due = this.#pacer.nextTime(nowMs, this.#pacingRate(), this.packetSize) ?? nowMs;
      this.#pacedUntil = Math.min(this.#pacedUntil, due);
      next = Math.min(next, due);
    }
    return next === Infinity ? undefined : next;
  }

  /** Handles what is due. */
  onTimeout(nowMs: number): void {
    this.acks.onTimeout(nowMs);
    // A size whose time to be tried again has come is remembered there, and the timer is done with it.
    this.mtu.nextProbe(nowMs);
    // After losses are found a probe may be due at once; two looks always end it.
    for (let look = 0; look < 2; look++) this.#lossTimeout(nowMs);
  }

  #lossTimeout(nowMs: number): void {
    const due = this.#loss.nextTimeout();
    if (due === undefined || due > nowMs) return;
    const { lost, lostProbes, probes, persistentCongestion } = this.#loss.onTimeout(nowMs);
    for (const packet of lost) this.#rate.onLost(packet);
    if (lost.length > 0) {
      this.#controller.onLost(lost, persistentCongestion, this.#loss.bytesInFlight, nowMs);
    }
    if (probes > 0) {
      this.#probeTimeouts++;
      this.mtu.onPto();
    }
    this.#probes = Math.max(this.#probes, probes);
    this.#settle([], lost, lostProbes, nowMs);
  }

  stats(): TransmissionStats {
    return {
      congestion: this.#controller.name,
      state: this.#controller.state(),
      window: this.#controller.window,
      bytesInFlight: this.#loss.bytesInFlight,
      packetsHeld: this.#loss.packetsHeld,
      ackRanges: this.acks.rangeCount,
      pacingRate: this.#pacingRate(),
      packetSize: this.packetSize,
      packetsLost: this.#packetsLost,
      spuriousLosses: this.#spurious,
      probeTimeouts: this.#probeTimeouts,
    };
  }
}
