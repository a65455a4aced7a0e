/**
 * Queues that do not go away, as round trips show them.
 *
 * @module
 */

import type { RateSample } from "../recovery/delivery_rate.ts";

/** Above the lowest round trip by this factor and time, and by two packets of serialization: a queue stands. */
const STANDING_FACTOR = 1.1;
const FULL_FACTOR = 1.125;
const SLACK_MS = 2;
const SLACK_PACKETS = 2;
/**
 * Consecutive heaps of ACKs that show a queue in startup: the pipe is full. Busy hosts delay ACKs as queues do, so it
 * takes more of them while more still arrives than before.
 */
const FULL_SAMPLES = 4;
const FULL_SAMPLES_GROWING = 10;
/** ACKs within this time are one heap: a host that was busy takes them one after the other, each as late as the last. */
const HEAP_MS = 1;
/** Delivered is less than this share of the estimate: others take the rest. */
const SHARED = 0.97;
/** Of what is delivered, so that the queue goes away. */
const YIELD = 0.92;
/** Of the estimate, at the least: what others take is not given up without a probe. */
const FLOOR = 0.7;
/** Per round without a queue. */
const REGAIN = 1.01;

/**
 * A queue through a whole round in which less than the estimate was delivered means that the estimates of the flows
 * that share the bottleneck add up to more than it carries. Each then keeps to less than what it got until the queue
 * is gone: the next probe finds room, a newcomer too, and all see the lowest round trip.
 */
export class StandingQueue {
  /** What the flow should keep to, in bytes per ms; Infinity while it need not yield. */
  bound: number = Infinity;
  #roundMs = Infinity;
  #lastRoundMs = Infinity;
  #rate = 0;
  #restraint = 1;
  #queuedSamples = 0;
  #heapMs = -Infinity;
  /** Whether the latest heap of ACKs shows a queue: all of them. */
  #heapQueued = false;

  /** True when the latest ACKs all show a queue: startup has filled the pipe. `growing`: the rate still grew last. */
  isFull(growing: boolean): boolean {
    return this.#queuedSamples >= (growing ? FULL_SAMPLES_GROWING : FULL_SAMPLES);
  }

  /** True when the latest ACKs show no queue. */
  get isClear(): boolean {
    return !this.#heapQueued;
  }

  /** True when a queue stood through the last round. */
  stoodLastRound(minRttMs: number): boolean {
    return this.#lastRoundMs > minRttMs * STANDING_FACTOR + SLACK_MS;
  }

  /**
   * A round is over; before its first sample.
   *
   * @param steady It was not spent probing for more.
   * @param bandwidth The estimate, bytes per ms.
   * @param minRttMs The empty path's round trip.
   * @param mtu Bytes of a full packet.
   */
  onRound(steady: boolean, bandwidth: number, minRttMs: number, mtu: number): void {
    const standing = this.#roundMs > minRttMs * STANDING_FACTOR + slackMs(mtu, bandwidth);
    if (steady && standing && this.#restraint > 0) {
      const got = this.#rate / this.#restraint;
      if (got < SHARED * bandwidth) {
        this.bound = Math.min(this.bound, Math.max(YIELD * got, FLOOR * bandwidth));
      }
    } else if (steady && !standing) this.bound *= REGAIN;
    this.#lastRoundMs = this.#roundMs;
    this.#roundMs = Infinity;
    this.#rate = 0;
    this.#restraint = 1;
  }

  /** An ACK arrived. `restraint`: share of the estimate at which what it acknowledged was sent, 0 for no verdict. */
  onSample(
    sample: RateSample,
    restraint: number,
    bandwidth: number,
    minRttMs: number,
    mtu: number,
    nowMs: number,
  ): void {
    const queued = sample.rttMs > minRttMs * FULL_FACTOR + slackMs(mtu, bandwidth);
    if (nowMs - this.#heapMs >= HEAP_MS) {
      this.#heapMs = nowMs;
      this.#heapQueued = queued;
      this.#queuedSamples = queued ? this.#queuedSamples + 1 : 0;
    } else if (!queued) {
      this.#heapQueued = false;
      this.#queuedSamples = 0;
    }
    this.#roundMs = Math.min(this.#roundMs, sample.rttMs);
    this.#rate = Math.max(this.#rate, sample.deliveryRate);
    this.#restraint = Math.min(this.#restraint, restraint);
  }
}

function slackMs(mtu: number, bandwidth: number): number {
  return SLACK_MS + SLACK_PACKETS * mtu / bandwidth;
}
