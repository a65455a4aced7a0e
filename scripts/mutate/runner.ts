/**
 * Runs mutants against the tests that reach them and says which ones nobody noticed.
 *
 * @module
 */

import type { RecordedTest, Reply } from "./protocol.ts";
import { WorkerProcess } from "./worker_process.ts";
import type { NumberedMutant, Workspace } from "./workspace.ts";

/** How one mutant ended. */
export interface Verdict {
  readonly mutant: NumberedMutant;
  /**
   * `killed`: a test failed; `loop`: it did not end; `survived`: every test that reaches it passed; `unreached`: no
   * test reaches it, so it survived too.
   */
  readonly outcome: "killed" | "loop" | "survived" | "unreached";
  /** The test that failed, with its error. */
  readonly by: string;
}

/** Time to start and import the tests, in milliseconds. */
const LOAD_MS = 60_000;
/** Time to run every test once, in milliseconds. */
const RECORD_MS = 240_000;
/**
 * Tests that a mutant meets, those beside its file and the quickest first, take this long together without it, in milliseconds: who survives those is
 * a survivor, although a slow one might have noticed.
 */
const BUDGET_MS = 4000;
/** The same for constants that a file reads once: few, and met by every test of their file. */
const LOAD_BUDGET_MS = 8000;
/** What tests may take with a mutant on: this many times as long as without, and this much more. */
const SLOWER = 5;
const SLACK_MS = 4000;
/** The same for how often a mutant is reached. */
const MORE_OFTEN = 50;
const SLACK_TIMES = 10_000;

/** Whether a verdict means that nobody noticed. */
export function isSurvivor({ outcome }: Verdict): boolean {
  return outcome === "survived" || outcome === "unreached";
}

/** Runs mutants of one workspace in one worker process at a time. */
export class Runner {
  readonly #workspace: Workspace;
  #worker: WorkerProcess | undefined;
  #recorded: readonly RecordedTest[] = [];
  /** Mutants that importing the files already reaches. */
  #atLoad: ReadonlySet<number> = new Set();

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** How many tests there are. */
  get tests(): number {
    return this.#recorded.length;
  }

  /**
   * Runs every test without a mutant.
   *
   * @throws {Error} when one fails: the mutants would prove nothing then.
   */
  async record(): Promise<void> {
    const worker = await this.#loaded();
    const reply = await worker.ask({ do: "record" }, RECORD_MS);
    if (reply === undefined || !("recorded" in reply)) {
      throw new Error(`cannot record the tests: ${JSON.stringify(reply ?? "too slow")}`);
    }
    if (reply.failed.length > 0) {
      throw new Error(`tests fail without any mutant: ${reply.failed.join("; ")}`);
    }
    this.#recorded = reply.recorded;
  }

  /** Tries one mutant. */
  async run(mutant: NumberedMutant): Promise<Verdict> {
    const reaching = this.#reaching(mutant);
    if (reaching.length > 0) {
      const verdict = await this.#runWarm(mutant, this.#affordable(reaching, BUDGET_MS));
      if (!isSurvivor(verdict) || !this.#atLoad.has(mutant.id)) return verdict;
    } else if (!this.#atLoad.has(mutant.id)) {
      return { mutant, outcome: "unreached", by: "" };
    }
    return await this.#runFromLoad(mutant);
  }

  /** Ends the worker. */
  end(): void {
    this.#worker?.end();
    this.#worker = undefined;
  }

  /** Tests that reach the mutant: those beside its file first, the quickest first. */
  #reaching(mutant: NumberedMutant): number[] {
    return this.#ordered(
      mutant.file,
      ({ reached }) => reached.some(([id]) => id === mutant.id),
    );
  }

  /** Which tests use a constant is not known, but those that run anything of its file, or stand beside it, may. */
  #mayUse({ file }: NumberedMutant): number[] {
    const ids = new Set(
      this.#workspace.mutants.filter((one) => one.file === file).map((m) => m.id),
    );
    return this.#ordered(
      file,
      ({ reached }, own) => own || reached.some(([id]) => ids.has(id)),
    );
  }

  #ordered(beside: string, wanted: (test: RecordedTest, own: boolean) => boolean): number[] {
    const folder = new URL(beside.replace(/[^/]+$/, ""), this.#workspace.folder).href;
    return this.#recorded.map((test, index) => ({ index, test, own: test.file.startsWith(folder) }))
      .filter(({ test, own }) => wanted(test, own))
      .sort((a, b) => Number(b.own) - Number(a.own) || a.test.ms - b.test.ms || a.index - b.index)
      .map(({ index }) => index);
  }

  /** The first of `tests` that fit the budget. */
  #affordable(tests: readonly number[], budgetMs: number): number[] {
    let ms = 0;
    return tests.filter((index, place) => {
      ms += this.#recorded[index]?.ms ?? 0;
      return place === 0 || ms <= budgetMs;
    });
  }

  async #loaded(): Promise<WorkerProcess> {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new WorkerProcess(this.#workspace);
    const reply = await worker.ask({ do: "load", tests: this.#workspace.tests }, LOAD_MS);
    if (reply === undefined || !("loaded" in reply)) {
      worker.end();
      throw new Error(`cannot load the tests: ${JSON.stringify(reply ?? "too slow")}`);
    }
    this.#atLoad = new Set(reply.reached);
    this.#worker = worker;
    return worker;
  }

  #request(mutant: NumberedMutant, tests: readonly number[]): {
    request: Parameters<WorkerProcess["ask"]>[0];
    ms: number;
  } {
    let ms = SLACK_MS;
    let most = 0;
    for (const index of tests) {
      const test = this.#recorded[index];
      ms += SLOWER * (test?.ms ?? 0);
      for (const [id, times] of test?.reached ?? []) {
        if (id === mutant.id && times > most) most = times;
      }
    }
    const reachLimit = MORE_OFTEN * most + SLACK_TIMES;
    return { request: { do: "run", mutant: mutant.id, tests, reachLimit }, ms };
  }

  async #runWarm(mutant: NumberedMutant, tests: readonly number[]): Promise<Verdict> {
    const worker = await this.#loaded();
    const { request, ms } = this.#request(mutant, tests);
    const reply = await worker.ask(request, ms);
    if (reply !== undefined && "killer" in reply && reply.spoiled) {
      // What the mutant left behind breaks tests without it: the next one gets a process of its own.
      this.end();
      return this.#verdict(mutant, reply);
    }
    if (reply === undefined || "broken" in reply) this.end();
    return this.#verdict(mutant, reply);
  }

  /** A constant that is read once, when its file is loaded, needs a process that starts with the mutant on. */
  async #runFromLoad(mutant: NumberedMutant): Promise<Verdict> {
    const worker = new WorkerProcess(this.#workspace);
    try {
      const loaded = await worker.ask(
        { do: "load", tests: this.#workspace.tests, mutant: mutant.id },
        LOAD_MS,
      );
      if (loaded === undefined || !("loaded" in loaded)) return this.#verdict(mutant, loaded);
      const { request, ms } = this.#request(
        mutant,
        this.#affordable(this.#mayUse(mutant), LOAD_BUDGET_MS),
      );
      return this.#verdict(mutant, await worker.ask(request, ms));
    } finally {
      worker.end();
    }
  }

  #verdict(mutant: NumberedMutant, reply: Reply | undefined): Verdict {
    if (reply === undefined) return { mutant, outcome: "loop", by: "no end in sight" };
    if ("killer" in reply) {
      const name = this.#recorded[reply.killer]?.name ?? "";
      return { mutant, outcome: "killed", by: `${name}: ${reply.why}` };
    }
    if ("broken" in reply) return { mutant, outcome: "killed", by: reply.broken };
    return { mutant, outcome: "survived", by: "" };
  }
}
