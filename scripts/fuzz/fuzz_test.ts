import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv } from "ajv";
import { parseArguments } from "./arguments.ts";
import { Engine } from "./engine.ts";
import { bytesOf, keptInputs } from "./kept.ts";
import { joinParts, splitParts } from "./parts.ts";
import { failureText, table } from "./report.ts";
import { Finding, type Target } from "./target.ts";
import { TARGETS } from "./targets/mod.ts";

/** Executions of the short run; these take milliseconds each, all others well below one. */
const RUNS = 300;
const SLOW_RUNS: Readonly<Record<string, number>> = {
  handshake: 40,
  "wire-udp": 30,
  "wire-bytes": 40,
  peer: 40,
  endpoint: 12,
  stored: 40,
};

const read = (path: string): string => Deno.readTextFileSync(new URL(path, import.meta.url));

for (const target of TARGETS) {
  test(`fuzz: ${target.name}: every kept input passes, with its outcome`, async () => {
    for (const input of keptInputs(target.name)) {
      const outcome = await target.run(bytesOf(input));
      if (input.outcome !== undefined) assert.equal(outcome, input.outcome, input.id);
    }
  });

  test(`fuzz: ${target.name}: a short run is clean`, async () => {
    const runs = SLOW_RUNS[target.name] ?? RUNS;
    const result = await new Engine(target, 1, { runs, measured: false }).run();
    assert.equal(result.failure?.error, undefined);
    assert.equal(result.runs, runs);
  });
}

test("fuzz: the files of kept inputs follow their schema, and no input stands twice", () => {
  const schema = JSON.parse(read("../../vectors/schema/fuzz.json"));
  const validate = new Ajv({ allErrors: true }).compile(schema);
  for (const { name, exact } of TARGETS) {
    const content = JSON.parse(read(`../../vectors/fuzz/${name}.json`));
    assert.equal(validate(content), true, `${name}: ${JSON.stringify(validate.errors)}`);
    assert.equal(content.target, name);
    const inputs = keptInputs(name);
    assert.equal(new Set(inputs.map(({ hex }) => hex)).size, inputs.length, name);
    assert.deepEqual(inputs.map(({ id }) => id), inputs.map((_, index) => `${name}-${index + 1}`));
    for (const { outcome, id } of inputs) assert.equal(outcome !== undefined, exact, id);
  }
});

/** Fails for inputs that hold 0x13 0x37; its corpus is far from that. */
function planted(ran: Uint8Array[]): Target {
  return {
    name: "planted",
    exact: true,
    maxBytes: 64,
    seeds: () => [new Uint8Array(40)],
    mutate: (input, _, prng) => {
      const copy = input.slice();
      copy[prng.integer(0, copy.length - 1)] = prng.pick([0x13, 0x37]);
      return copy;
    },
    run(input) {
      ran.push(input);
      if (input.some((byte, at) => byte === 0x13 && input[at + 1] === 0x37)) {
        throw new Finding("planted");
      }
      return `${input.filter((byte) => byte !== 0).length} set`;
    },
  };
}

test("fuzz: what is wrong is found, shortened, and told with the line that repeats it", async () => {
  const result = await new Engine(planted([]), 5, { runs: 10_000, measured: false }).run();
  const failure = result.failure ?? assert.fail("not found");
  assert.deepEqual(failure.input, Uint8Array.of(0x13, 0x37));
  assert.match(failure.error, /planted/);
  const text = failureText("planted", failure, () => assert.fail("it is short"));
  assert.match(text, /\n {2}deno task fuzz --target planted --input 1337$/);
  assert.match(table([result]), /planted .* FAILED$/);
  const long = { error: "x", input: new Uint8Array(5000) };
  assert.match(failureText("planted", long, () => "/tmp/file"), /--input @\/tmp\/file$/);
});

test("fuzz: the seed decides which inputs are run", async () => {
  const inputs = async (seed: number): Promise<string> => {
    const ran: Uint8Array[] = [];
    await new Engine(planted(ran), seed, { runs: 50, measured: false }).run();
    return ran.join(" ");
  };
  assert.equal(await inputs(3), await inputs(3));
  assert.notEqual(await inputs(3), await inputs(4));
});

test("fuzz: a list of parts comes back, and any bytes are one", () => {
  const parts = [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(300).fill(7)];
  assert.deepEqual(splitParts(joinParts(parts)), parts);
  assert.deepEqual(splitParts(Uint8Array.of(0, 5, 1, 2)), [Uint8Array.of(1, 2)]);
  assert.deepEqual(splitParts(Uint8Array.of(0)), []);
});

test("fuzz: arguments", () => {
  const known = ["values", "frame"];
  const plain = {
    seconds: 10,
    runs: undefined,
    seed: undefined,
    targets: [],
    input: undefined,
    json: false,
    keep: false,
  };
  assert.deepEqual(parseArguments([], known), plain);
  assert.deepEqual(
    parseArguments(["--seconds", "60", "--seed", "7", "--target", "frame", "--json"], known),
    { ...plain, seconds: 60, seed: 7, targets: ["frame"], json: true },
  );
  assert.equal(parseArguments(["--runs", "5"], known)?.seconds, Infinity);
  assert.equal(parseArguments(["--target", "frame", "--input", ""], known)?.input, "");
  assert.equal(parseArguments(["--help"], known), undefined);
  for (
    const bad of [["--seconds", "0"], ["--target", "x"], ["--input", "00"], ["--seed"], ["more"]]
  ) assert.throws(() => parseArguments(bad, known), Error, bad.join(" "));
});
