/**
 * Writes vectors/*.json from the built-in conformance cases: requests, with the results of the twin, which imports
 * nothing of `src/`. The same input gives the same bytes. `--check` compares with the files there instead of writing.
 * `scripts/check_vectors.ts` confirms the files with `src/`.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { RULE_FILES } from "../conformance/cases/mod.ts";
import { expected, type Rule, testId } from "../conformance/cases/rule.ts";

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  varint: "Varints",
  values: "Values, lenient and canonical",
  frame: "Frames, and byte streams of them",
  key_schedule: "Keys of seeds, of finished handshakes and of epochs",
  handshake_messages: "The five handshake messages and the transport parameters",
  handshake: "Both sides of handshakes with fixed keys and times, both suites",
  session: "Protected frames in both suites: sealing, opening, replays, rotation",
  stream: "Payloads of STREAM frames",
  records: "Records of CONTROL frames",
  open_session:
    "An authenticated peer that breaks rules in an open session, both roles and kinds of transport",
  folders: "Folders: blocks of both sides, and which paths are allowed",
  requests: "Requests and replies, whole directions of their streams",
  topics: "Topics, filters, subscriptions and messages",
  sealed_record: "Data at rest: headers of stores, records, indexes and heads of chambers",
  sealed_content: "Data at rest: addresses, parts and manifests of content stores",
  sealed_stream: "Data at rest: sealed streams",
  resumption: "Tickets, and both sides of handshakes that resume with one",
  continuity: "Blocks, stored state and senders of streams that outlast sessions",
};

/** The whole file, as it is written. */
export function vectorFile(name: string, rules: readonly Rule[]): string {
  const flags: Record<string, unknown> = {};
  const tests: unknown[] = [];
  for (const rule of rules) {
    const flag = `${rule.section}.${rule.number}-${rule.slug}`;
    flags[flag] = { section: rule.section, level: rule.level, note: rule.title };
    for (const [index, test] of rule.tests.entries()) {
      tests.push({
        id: testId(rule, index),
        section: rule.section,
        level: rule.level,
        comment: test.comment,
        flags: [flag],
        result: rule.expect === "accepted" ? "valid" : "invalid",
        request: test.request,
        ...expected(rule, test),
      });
    }
  }
  const head = {
    format: "stt-operations-1",
    section: rules[0]?.section,
    description: DESCRIPTIONS[name],
    flags,
  };
  // One test per line: a changed test is one changed line.
  const lines = tests.map((test) => `    ${JSON.stringify(test)}`).join(",\n");
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "tests": [\n${lines}\n  ]\n}\n`;
}

export function vectorPath(name: string): string {
  return fileURLToPath(new URL(`../vectors/${name}.json`, import.meta.url));
}

function main(): void {
  const check = process.argv.includes("--check");
  const unknown = process.argv.slice(2).find((argument) => argument !== "--check");
  if (unknown !== undefined) {
    console.error(`unknown argument ${unknown}\nusage: deno task gen-vectors [--check]`);
    process.exitCode = 2;
    return;
  }
  let stale = 0;
  for (const [name, rules] of Object.entries(RULE_FILES)) {
    const text = vectorFile(name, rules());
    if (!check) {
      writeFileSync(vectorPath(name), text);
      console.log(`wrote vectors/${name}.json`);
    } else if (readFileSync(vectorPath(name), "utf8") !== text) {
      console.error(`vectors/${name}.json is not what scripts/gen_vectors.ts makes`);
      stale++;
    }
  }
  if (check) console.log(`${Object.keys(RULE_FILES).length} generated files, ${stale} differ`);
  process.exitCode = stale > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
