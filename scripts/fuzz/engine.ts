/**
 * Runs one target: inputs are changed again and again, and those with new outcomes are changed further. What is run
 * depends on the seed alone; only how much of it, on the time given.
 *
 * @module
 */
import { Prng } from "../../src/testing/prng.ts";
import { bytesOf, keptInputs } from "./kept.ts";
import { shrink } from "./shrink.ts";
import { Finding, type Target } from "./target.ts";

/** One input may take so long; the slowest ones take a twentieth of it. */
const SLOW_MS = 5000;
/** From here on an input runs again, to tell it from a machine that was busy. */
const SUSPECT_MS = 1000;
/** Memory in use, looked at now and then: no input may leave or need more. */
const MEMORY_BYTES = 1_073_741_824;
const LOOK_EVERY = 256;
const MAX_POOL = 2048;
/** Inputs of one outcome that are worth to be changed further. */
const PER_OUTCOME = 4;

/** When to stop: whichever comes first. */
export interface Budget {
  readonly runs?: number;
  readonly seconds?: number;
  /** Whether time and memory are judged: not in tests, which share a machine. */
  readonly measured: boolean;
}

/** An input that an oracle refused. */
export interface Failure {
  readonly error: string;
  readonly input: Uint8Array;
}

/** What running a target came to. */
export interface Result {
  readonly target: string;
  readonly runs: number;
  readonly seconds: number;
  /** Shortest input of each outcome. */
  readonly outcomes: ReadonlyMap<string, Uint8Array>;
  readonly slowestMs: number;
  readonly memoryBytes: number;
  readonly failure: Failure | undefined;
}

/** The stream of chances of a target under a seed. */
function prngOf(target: string, seed: number): Prng {
  let mixed = seed >>> 0;
  for (const letter of target) mixed = Math.imul(mixed ^ letter.charCodeAt(0), 0x01000193);
  return new Prng(mixed);
}

/** Fuzzes one target until the budget is used up or something fails. */
export class Engine {
  readonly #target: Target;
  readonly #prng: Prng;
  readonly #budget: Budget;
  readonly #pool: Uint8Array[] = [];
  readonly #counts: Map<string, number> = new Map();
  readonly #outcomes: Map<string, Uint8Array> = new Map();
  #runs = 0;
  #slowestMs = 0;
  #memoryBytes = 0;
  #stalledMs = 0;

  constructor(target: Target, seed: number, budget: Budget) {
    this.#target = target;
    this.#prng = prngOf(target.name, seed);
    this.#budget = budget;
  }

  async run(): Promise<Result> {
    const start = performance.now();
    const seconds = (): number => (performance.now() - start - this.#stalledMs) / 1000;
    let failure: Failure | undefined;
    for (const input of this.#inputs(seconds)) {
      const error = await this.#one(input);
      if (error === undefined) continue;
      const still = async (smaller: Uint8Array): Promise<boolean> =>
        await this.#one(smaller) !== undefined;
      const small = await shrink(input, still);
      failure = { error: await this.#one(small) ?? error, input: small };
      break;
    }
    return {
      target: this.#target.name,
      runs: this.#runs,
      seconds: seconds(),
      outcomes: this.#outcomes,
      slowestMs: this.#slowestMs,
      memoryBytes: this.#memoryBytes,
      failure,
    };
  }

  /** The corpus and changed inputs in turn, so that a short run sees both; then changed ones without end. */
  *#inputs(seconds: () => number): Generator<Uint8Array> {
    const { runs = Infinity, seconds: limit = Infinity } = this.#budget;
    const target = this.#target;
    const seeds = [...keptInputs(target.name).map(bytesOf), ...target.seeds()];
    this.#pool.push(...seeds);
    for (const seed of seeds) {
      if (this.#runs >= runs || seconds() >= limit) return;
      yield seed;
      if (this.#runs < runs) yield this.#changed();
    }
    while (this.#runs < runs && seconds() < limit) yield this.#changed();
  }

  #changed(): Uint8Array {
    const prng = this.#prng;
    const pick = (): Uint8Array =>
      this.#pool[prng.integer(0, Math.max(0, this.#pool.length - 1))] ?? new Uint8Array(0);
    let input = pick();
    // Mostly few changes: with many, nothing of what made an input worth it is left.
    for (let more = true; more; more = prng.chance(0.5)) {
      input = this.#target.mutate(input, pick(), prng);
    }
    return input.subarray(0, this.#target.maxBytes).slice();
  }

  /** Runs an input; what is wrong, or undefined. */
  async #one(input: Uint8Array): Promise<string | undefined> {
    this.#runs++;
    try {
      const tookMs = await this.#timed(input);
      if (this.#budget.measured) {
        this.#measure(tookMs < SUSPECT_MS ? tookMs : await this.#again(input, tookMs));
      }
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.stack ?? error.message : String(error);
    }
  }

  /** A machine stalls now and then, and its processes are stopped: what is slow by itself is slow again. */
  async #again(input: Uint8Array, firstMs: number): Promise<number> {
    let best = firstMs;
    let spent = firstMs;
    for (let more = 0; more < 2 && best >= SUSPECT_MS; more++) {
      const tookMs = await this.#timed(input);
      spent += tookMs;
      best = Math.min(best, tookMs);
    }
    this.#stalledMs += spent - best;
    return best;
  }

  /** Milliseconds that a run takes. */
  async #timed(input: Uint8Array): Promise<number> {
    const start = performance.now();
    const answer = this.#target.run(input.slice());
    const outcome = typeof answer === "string" ? answer : await answer;
    this.#note(outcome, input);
    return performance.now() - start;
  }

  #note(outcome: string, input: Uint8Array): void {
    const count = (this.#counts.get(outcome) ?? 0) + 1;
    this.#counts.set(outcome, count);
    const best = this.#outcomes.get(outcome);
    if (best === undefined || input.length < best.length) this.#outcomes.set(outcome, input);
    if (count <= PER_OUTCOME && this.#pool.length < MAX_POOL) this.#pool.push(input);
  }

  #measure(tookMs: number): void {
    this.#slowestMs = Math.max(this.#slowestMs, tookMs);
    if (tookMs > SLOW_MS) {
      throw new Finding(`one input took ${tookMs.toFixed(0)} ms, the limit is ${SLOW_MS} ms`);
    }
    if (this.#runs % LOOK_EVERY !== 0 && tookMs < 100) return;
    const { heapUsed, external } = Deno.memoryUsage();
    this.#memoryBytes = Math.max(this.#memoryBytes, heapUsed + external);
    if (heapUsed + external > MEMORY_BYTES) {
      throw new Finding(`${heapUsed + external} bytes are in use, the limit is ${MEMORY_BYTES}`);
    }
  }
}
