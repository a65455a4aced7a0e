/**
 * Runs the copied tests with one mutant after the other on. The runner starts it in the copy and ends it when it hangs.
 *
 * @module
 */

import fc from "fast-check";
import process from "node:process";
import { createInterface } from "node:readline";
import { collected, importing } from "./collected_tests.ts";
import { SWITCH } from "./instrument.ts";
import type { RecordedTest, Reply, Request } from "./protocol.ts";

// The same inputs for every mutant, and no search for the smallest one that fails.
fc.configureGlobal({ seed: 20_250_101, endOnFailure: true });

let active = -1;
let reachLimit = Infinity;
let reachedTimes = 0;
let recording: Map<number, number> | undefined = new Map();

Object.defineProperty(globalThis, SWITCH, {
  value: (mutant: number): boolean => {
    if (recording !== undefined) recording.set(mutant, (recording.get(mutant) ?? 0) + 1);
    if (mutant !== active) return false;
    if (++reachedTimes > reachLimit) throw new Error("the mutant loops");
    return true;
  },
});

function text(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}

/** The error of a test, or undefined when it passes. */
async function failure(index: number): Promise<string | undefined> {
  try {
    await collected[index]?.run();
    return undefined;
  } catch (error) {
    return text(error);
  }
}

async function load(tests: readonly string[], mutant: number): Promise<Reply> {
  active = mutant;
  recording = new Map();
  for (const path of tests) {
    importing.file = path;
    try {
      await import(path);
    } catch (error) {
      return { broken: text(error) };
    }
  }
  const reached = [...recording.keys()];
  recording = undefined;
  return { loaded: collected.length, reached };
}

async function record(): Promise<Reply> {
  const recorded: RecordedTest[] = [];
  const failed: string[] = [];
  for (const [index, { name, file }] of collected.entries()) {
    recording = new Map();
    const begun = performance.now();
    const error = await failure(index);
    const ms = Math.ceil(performance.now() - begun);
    if (error !== undefined) failed.push(`${name}: ${error}`);
    recorded.push({ name, file, ms, reached: [...recording] });
    recording = undefined;
  }
  return { recorded, failed };
}

async function run(mutant: number, tests: readonly number[], limit: number): Promise<Reply> {
  for (const index of tests) {
    active = mutant;
    reachedTimes = 0;
    reachLimit = limit;
    const why = await failure(index);
    active = -1;
    if (why === undefined) continue;
    return { killer: index, why, spoiled: await failure(index) !== undefined };
  }
  return { survived: true };
}

async function answer(request: Request): Promise<Reply> {
  switch (request.do) {
    case "load":
      return await load(request.tests, request.mutant ?? -1);
    case "record":
      return await record();
    case "run":
      return await run(request.mutant, request.tests, request.reachLimit);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Request))}\n`);
}
