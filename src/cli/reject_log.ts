/**
 * One line for each peer that never became a session, and far fewer under a flood.
 *
 * @module
 */
import type { SttError } from "../errors.ts";
import type { Report } from "./report.ts";

const BURST = 10;
const LINES_PER_MS = 1 / 1000;
const SUMMARY_MS = 5000;

/** The reasons for which a handshake is dropped most often, in plain words. */
const DROPS: Readonly<Record<string, string>> = {
  seed_id: "it does not have the seed",
  commitment: "it does not have the seed",
  rate: "too many handshakes from its address",
};

function reason(error: SttError): string {
  const drop = /dropped \((\w+)\)/.exec(error.message)?.[1] ?? "";
  return Object.hasOwn(DROPS, drop) ? DROPS[drop] ?? error.message : error.message;
}

/** How the lines of a {@link RejectLog} read. */
export interface RejectWords {
  /** Name of the event; the sum of what was not logged has `-more` behind it. */
  readonly event: string;
  readonly verb: string;
  readonly things: string;
}

const PEERS: RejectWords = { event: "rejected", verb: "rejected", things: "peers" };

/** Logs rejected peers: ten lines at once, then one a second; the others are counted and summed up. */
export class RejectLog {
  readonly #report: Report;
  readonly #now: () => number;
  readonly #words: RejectWords;
  #allowance = BURST;
  #last: number;
  #hidden = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(report: Report, now: () => number, words: RejectWords = PEERS) {
    this.#words = words;
    this.#report = report;
    this.#now = now;
    this.#last = now();
  }

  record(remoteAddress: string, error: SttError): void {
    const now = this.#now();
    this.#allowance = Math.min(BURST, this.#allowance + (now - this.#last) * LINES_PER_MS);
    this.#last = now;
    if (this.#allowance < 1) {
      this.#hidden++;
      this.#timer ??= setTimeout(() => this.#summary(), SUMMARY_MS);
      return;
    }
    this.#allowance--;
    const why = reason(error);
    this.#report.warning(
      this.#words.event,
      { address: remoteAddress, code: error.code, message: why },
      `${this.#words.verb} ${remoteAddress}: ${why}`,
    );
  }

  /** Says what was left unsaid. */
  close(): void {
    clearTimeout(this.#timer);
    this.#summary();
  }

  #summary(): void {
    this.#timer = undefined;
    if (this.#hidden === 0) return;
    this.#report.warning(
      `${this.#words.event}-more`,
      { count: this.#hidden },
      `${this.#words.verb} ${this.#hidden} more ${this.#words.things}`,
    );
    this.#hidden = 0;
  }
}
