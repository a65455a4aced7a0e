import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { SttValue } from "../codec/values.ts";
import { Chamber } from "./chamber.ts";
import {
  Crash,
  CrashFiles,
  nextProcess,
  type Survival,
  SURVIVALS,
} from "./crash_files_for_test.ts";
import { FileStore } from "./file_store.ts";

const FOLDER = "/chamber";
const OLD = new Uint8Array(32).fill(1);
const NEW = new Uint8Array(32).fill(2);

type Content = Record<string, SttValue>;

/** A change, and the contents before and after it: what a crash leaves must be one of them. */
interface Scenario {
  readonly name: string;
  readonly before: Content | undefined;
  readonly after: Content;
  act(chamber: Chamber): Promise<unknown>;
  readonly rekeyed?: boolean;
}

const BASE: Content = { a: "one", b: "two" };
// So many changes that the next one makes the chamber write its index anew.
const FULL: Content = { ...BASE, n: 61 };

const SCENARIOS: readonly Scenario[] = [
  { name: "making a chamber", before: undefined, after: {}, act: () => Promise.resolve() },
  {
    name: "a new record",
    before: BASE,
    after: { ...BASE, c: "three" },
    act: (chamber) => chamber.put("c", "three"),
  },
  {
    name: "a replaced record",
    before: BASE,
    after: { ...BASE, a: "new" },
    act: (chamber) => chamber.put("a", "new"),
  },
  { name: "a removed record", before: BASE, after: { b: "two" }, act: (c) => c.delete("a") },
  {
    name: "several changes at once",
    before: BASE,
    after: { b: "2", c: "3" },
    act: (chamber) =>
      chamber.batch([
        { name: "a", value: undefined },
        { name: "b", value: "2" },
        { name: "c", value: "3" },
      ]),
  },
  {
    name: "a change with a new index",
    before: FULL,
    after: { ...FULL, c: "three" },
    act: async (chamber) => {
      assert.equal(chamber.generation, 64);
      await chamber.put("c", "three");
    },
  },
  { name: "compacting", before: FULL, after: FULL, act: (chamber) => chamber.compact() },
  { name: "a new secret", before: BASE, after: BASE, act: (c) => c.rekey(NEW), rekeyed: true },
];

async function open(files: CrashFiles, secret: Uint8Array): Promise<Chamber> {
  const store = await FileStore.open(FOLDER, { files, world: nextProcess() });
  return await Chamber.open(store, { secret });
}

async function contentOf(chamber: Chamber): Promise<Content> {
  const content: Content = {};
  for (const { name } of await chamber.list()) content[name] = await chamber.get(name) as SttValue;
  return content;
}

async function prepared({ before }: Scenario): Promise<CrashFiles> {
  const files = new CrashFiles();
  if (before === undefined) return files;
  const chamber = await open(files, OLD);
  for (const [name, value] of Object.entries(before)) {
    for (let i = 1; i < (typeof value === "number" ? value : 1); i++) await chamber.put(name, i);
    await chamber.put(name, value);
  }
  if (before === FULL) await chamber.put("a", "one");
  return files;
}

/** The secret that opens what is left: after a change of the secret that was not acknowledged, either may. */
async function secretOf(files: CrashFiles, acked: boolean, rekeyed: boolean): Promise<Uint8Array> {
  if (!rekeyed || acked) return rekeyed ? NEW : OLD;
  try {
    await open(files, NEW);
    return NEW;
  } catch (error) {
    assert.equal((error as { code?: string }).code, "STORAGE_KEY");
    return OLD;
  }
}

async function crashAt(scenario: Scenario, start: CrashFiles, stop: number, survival: Survival) {
  const files = start.survivor("process");
  let acked = false;
  let ended = false;
  files.stopAt = stop;
  try {
    const chamber = await open(files, OLD);
    await scenario.act(chamber);
    acked = true;
    ended = files.steps < stop;
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause ?? error;
    if (!(cause instanceof Crash)) throw error;
  }
  const where = `${scenario.name}, ${survival}, stopped at step ${stop}`;
  const left = files.survivor(survival);
  const secret = await secretOf(left, acked, scenario.rekeyed === true);
  const chamber = await open(left, secret);
  const content = await contentOf(chamber);
  if (acked) {
    assert.deepEqual(content, scenario.after, where);
  } else {
    const whole = [scenario.before ?? {}, scenario.after].some((c) =>
      isDeepStrictEqual(content, c)
    );
    assert(whole, `${where}: ${JSON.stringify(content)}`);
  }
  // Nothing is left of what was under way: header, head, index, lock, and the records.
  assert.equal(left.paths.length, 4 + chamber.size, `${where}: ${left.paths}`);
  await chamber.put("goes on", true);
  assert.equal(await (await open(left, secret)).get("goes on"), true, where);
  return ended;
}

for (const scenario of SCENARIOS) {
  test(`a crash at any step of ${scenario.name} leaves the old state or the new one`, async () => {
    const start = await prepared(scenario);
    for (const survival of SURVIVALS) {
      let stop = 0;
      while (!await crashAt(scenario, start, stop, survival)) stop++;
      assert(stop > 10, `${stop} steps`);
    }
  });
}
