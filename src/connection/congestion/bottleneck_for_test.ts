/**
 * One bottleneck link shared by several senders, packet by packet in virtual time, without crypto and streams: the
 * real loss recovery, delivery rate, pacer and controllers, and a receiver that acknowledges like SPEC 10.2.
 */

import { Prng } from "../../testing/prng.ts";
import { DeliveryRate } from "../recovery/delivery_rate.ts";
import { LossRecovery } from "../recovery/loss_recovery.ts";
import { RttEstimator } from "../recovery/rtt.ts";
import { type PacketContent, type SentPacket, sentPacket } from "../recovery/sent_packet.ts";
import type { CongestionController } from "./controller.ts";
import { EventHeap } from "./event_heap_for_test.ts";
import { Pacer } from "./pacer.ts";

const ACK_DELAY_MS = 25;
const REORDER_MS = 8;
const NOTHING: PacketContent = { chunks: [], records: [], ackLargest: -1 };

/** The link. */
export interface LinkOptions {
  /** Bytes per ms; may be changed while the simulation runs. */
  rate: number;
  /** Round trip of the empty path. */
  rttMs: number;
  /** Bytes that wait at most. */
  buffer: number;
  /** Probability that a packet is lost behind the queue. */
  loss?: number;
  /** Mean length of a run of losses in packets; 1 when absent. `loss` stays the mean over all packets. */
  lossBurst?: number;
  /** Probability that a packet is held back by 8 ms while later ones pass. */
  reorder?: number;
  seed?: number;
}

/** One sender. */
export interface FlowOptions {
  readonly controller: CongestionController;
  readonly mtu?: number;
  readonly startMs?: number;
  /** Packets per ACK. */
  readonly ackEvery?: number;
  /** Bytes per ms that the application writes, in lots of 5 ms; unlimited when absent. */
  readonly appRate?: number;
  /** How late timers fire at most. */
  readonly timerSlackMs?: number;
  /** Added to the round trip of the link. */
  readonly extraRttMs?: number;
}

export class Bottleneck {
  readonly link: LinkOptions;
  readonly flows: Flow[] = [];
  readonly events: EventHeap = new EventHeap();
  readonly prng: Prng;
  nowMs = 0;
  dropped = 0;
  #freeMs = 0;
  #losing = false;
  #waitSum = 0;
  #packets = 0;
  #queueMax = 0;

  constructor(link: LinkOptions) {
    this.link = link;
    this.prng = new Prng(link.seed ?? 1);
  }

  add(options: FlowOptions): Flow {
    const flow = new Flow(this, options);
    this.flows.push(flow);
    this.events.at(options.startMs ?? 0, () => flow.send());
    return flow;
  }

  run(untilMs: number): void {
    this.events.runUntil(untilMs, (nowMs) => {
      this.nowMs = nowMs;
    });
  }

  /** Forgets what was counted: measure from here on. */
  mark(): void {
    for (const flow of this.flows) flow.received = 0;
    this.dropped = 0;
    this.#waitSum = 0;
    this.#packets = 0;
    this.#queueMax = 0;
  }

  /** Largest wait in the queue since `mark`, in ms. */
  get queueMaxMs(): number {
    return this.#queueMax;
  }

  /** Wait in the queue, mean over all packets that passed since `mark`, in ms. */
  get queueMeanMs(): number {
    return this.#packets === 0 ? 0 : this.#waitSum / this.#packets;
  }

  /** Takes a packet; `deliver` runs when it arrives, never when it is lost. */
  transmit(size: number, extraMs: number, deliver: () => void): void {
    const waitMs = Math.max(0, this.#freeMs - this.nowMs);
    if (waitMs * this.link.rate + size > this.link.buffer) {
      this.dropped++;
      return;
    }
    this.#queueMax = Math.max(this.#queueMax, waitMs);
    this.#waitSum += waitMs;
    this.#packets++;
    this.#freeMs = this.nowMs + waitMs + size / this.link.rate;
    if (this.#isLost()) return;
    const lateMs = this.prng.chance(this.link.reorder ?? 0) ? REORDER_MS : 0;
    this.events.at(this.#freeMs + (this.link.rttMs + extraMs) / 2 + lateMs, deliver);
  }

  #isLost(): boolean {
    const loss = this.link.loss ?? 0;
    if (loss === 0) return false;
    const leave = 1 / (this.link.lossBurst ?? 1);
    // Two states: the share of time in the losing one is `loss`, its mean length is the burst's.
    this.#losing = this.#losing && leave < 1
      ? !this.prng.chance(leave)
      : this.prng.chance(loss * leave / (1 - loss));
    return this.#losing;
  }
}

export class Flow {
  readonly controller: CongestionController;
  readonly rtt: RttEstimator = new RttEstimator();
  readonly recovery: LossRecovery;
  readonly rate: DeliveryRate = new DeliveryRate();
  readonly pacer: Pacer;
  /** Bytes that arrived since `mark`. */
  received = 0;
  lost = 0;
  sent = 0;
  persistent = 0;
  /** Called after every ACK. */
  onAck: (() => void) | undefined;
  readonly #net: Bottleneck;
  readonly #options: FlowOptions;
  readonly #mtu: number;
  #sequence = 0;
  #available = 0;
  #appMs = 0;
  #appWake = false;
  #wakeMs = Infinity;
  #lossWakeMs = Infinity;
  #idle = true;
  #ranges: [number, number][] = [];
  #unacked = 0;
  #total = 0;
  #largestMs = 0;
  #ackTimer = false;

  constructor(net: Bottleneck, options: FlowOptions) {
    this.#net = net;
    this.#options = options;
    this.controller = options.controller;
    this.#mtu = options.mtu ?? 1200;
    this.recovery = new LossRecovery({ rtt: this.rtt, maxAckDelayMs: ACK_DELAY_MS });
    this.pacer = new Pacer(this.#mtu);
    this.#appMs = options.startMs ?? 0;
  }

  /** Sends what window, pacer and application allow. */
  send(): void {
    const now = this.#net.nowMs;
    for (;;) {
      if (!this.#hasData(now)) {
        if (this.recovery.bytesInFlight < this.controller.window) {
          this.rate.setAppLimited(this.recovery.bytesInFlight);
        }
        break;
      }
      if (this.recovery.bytesInFlight + this.#mtu > this.controller.window) break;
      const wakeMs = this.pacer.nextTime(now, this.controller.pacingRate, this.#mtu);
      if (wakeMs !== undefined) {
        this.#wakeAt(wakeMs);
        break;
      }
      this.#sendOne(now);
    }
    this.#armLossTimer();
  }

  #hasData(now: number): boolean {
    const rate = this.#options.appRate;
    if (rate === undefined) return true;
    const lots = Math.floor((now - this.#appMs) / 5);
    this.#available += lots * 5 * rate;
    this.#appMs += lots * 5;
    if (this.#available >= this.#mtu) return true;
    if (!this.#appWake) {
      this.#appWake = true;
      this.#net.events.at(this.#appMs + 5, () => {
        this.#appWake = false;
        this.send();
      });
    }
    return false;
  }

  #sendOne(now: number): void {
    if (this.recovery.bytesInFlight === 0 && !this.#idle) {
      this.#idle = true;
      this.controller.onIdleRestart(now);
    }
    const packet = sentPacket({
      sequence: this.#sequence++,
      sentMs: now,
      size: this.#mtu,
      ackEliciting: true,
      inFlight: true,
      epoch: 0,
      mtuProbe: false,
      content: NOTHING,
    });
    this.rate.onSent(packet, now, this.recovery.bytesInFlight);
    this.recovery.onSent(packet);
    this.controller.onSent(packet, this.recovery.bytesInFlight, now);
    this.pacer.onSent(packet.size, now);
    this.#available -= packet.size;
    this.#idle = false;
    this.sent++;
    const { sequence, size } = packet;
    this.#net.transmit(size, this.#options.extraRttMs ?? 0, () => this.#arrive(sequence, size));
  }

  #wakeAt(atMs: number): void {
    if (this.#wakeMs <= atMs && this.#wakeMs > this.#net.nowMs) return;
    const slack = this.#options.timerSlackMs ?? 0;
    const firesMs = slack > 0 ? atMs + this.#net.prng.float() * slack : atMs;
    this.#wakeMs = firesMs;
    this.#net.events.at(firesMs, () => {
      if (this.#wakeMs !== firesMs) return;
      this.#wakeMs = Infinity;
      this.send();
    });
  }

  #armLossTimer(): void {
    const atMs = this.recovery.nextTimeout();
    if (atMs === undefined || this.#lossWakeMs <= atMs) return;
    this.#lossWakeMs = atMs;
    this.#net.events.at(atMs, () => {
      if (this.#lossWakeMs !== atMs) return;
      this.#lossWakeMs = Infinity;
      const now = this.#net.nowMs;
      const outcome = this.recovery.onTimeout(now);
      this.#lose(outcome.lost, outcome.persistentCongestion, now);
      for (let i = 0; i < outcome.probes; i++) this.#sendOne(now);
      this.send();
    });
  }

  #lose(lost: readonly SentPacket[], persistent: boolean, now: number): void {
    if (lost.length === 0) return;
    for (const packet of lost) this.rate.onLost(packet);
    this.lost += lost.length;
    if (persistent) this.persistent++;
    this.controller.onLost(lost, persistent, this.recovery.bytesInFlight, now);
  }

  // The receiver.

  #arrive(sequence: number, size: number): void {
    const now = this.#net.nowMs;
    this.received += size;
    this.#total++;
    const top = this.#ranges[0];
    const inOrder = top === undefined ? sequence === 0 : sequence === top[1] + 1;
    if (top !== undefined && inOrder) top[1] = sequence;
    else if (top !== undefined && sequence < top[1]) this.#fill(sequence);
    else this.#ranges.unshift([sequence, sequence]);
    if (this.#ranges.length > 33) this.#ranges.length = 33;
    if (this.#ranges[0]![1] === sequence) this.#largestMs = now;
    this.#unacked++;
    const every = this.#total <= 16 ? 1 : this.#total <= 100 ? 2 : this.#options.ackEvery ?? 2;
    if (!inOrder || this.#unacked >= every) this.#acknowledge();
    else if (!this.#ackTimer) {
      this.#ackTimer = true;
      this.#net.events.at(now + ACK_DELAY_MS, () => {
        this.#ackTimer = false;
        if (this.#unacked > 0) this.#acknowledge();
      });
    }
  }

  /** A packet that later ones have overtaken; below the ranges that are kept it is forgotten. */
  #fill(sequence: number): void {
    const below = this.#ranges.findIndex(([low]) => low <= sequence);
    if (below < 1) return;
    const above = this.#ranges[below - 1]!;
    const under = this.#ranges[below]!;
    if (above[0] === sequence + 1) above[0] = sequence;
    if (under[1] === sequence - 1) under[1] = sequence;
    if (above[0] <= under[1]) this.#ranges.splice(below - 1, 2, [under[0], above[1]]);
    else if (above[0] !== sequence && under[1] !== sequence) {
      this.#ranges.splice(below, 0, [sequence, sequence]);
    }
  }

  #acknowledge(): void {
    const now = this.#net.nowMs;
    this.#unacked = 0;
    const ranges = this.#ranges.map(([low, high]): [number, number] => [low, high]);
    const delayUs = Math.floor((now - this.#largestMs) * 1000);
    const backMs = (this.#net.link.rttMs + (this.#options.extraRttMs ?? 0)) / 2;
    this.#net.events.at(now + backMs, () => {
      this.#onAck({ type: "ack", largest: ranges[0]![1], delayUs, ranges });
    });
  }

  #onAck(record: Parameters<LossRecovery["onAck"]>[0]): void {
    const now = this.#net.nowMs;
    const outcome = this.recovery.onAck(record, now);
    if (outcome.error !== undefined) throw outcome.error;
    if (outcome.spurious > 0) this.controller.onSpuriousLoss(outcome.spuriousSequences);
    for (const packet of outcome.acked) this.rate.onAcked(packet, now);
    this.#lose(outcome.lost, outcome.persistentCongestion, now);
    const sample = this.rate.sample(now, this.rtt.min);
    if (outcome.acked.length > 0) {
      this.controller.onAcked(
        outcome.acked,
        sample,
        this.rtt,
        this.recovery.bytesInFlight,
        now,
      );
    }
    this.onAck?.();
    this.send();
  }
}
