/**
 * The files of .github. That they are YAML is what `deno fmt --check` says of them; these tests read their form, which
 * that formatter keeps regular.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { filesUnder, ROOT } from "./source_files.ts";

function text(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT)).replaceAll("\r\n", "\n");
}

const WORKFLOWS = filesUnder(".github/workflows", [".yml", ".yaml"]);
const FORMS = filesUnder(".github/ISSUE_TEMPLATE", [".yml"])
  .filter((path) => !path.endsWith("/config.yml"));

/** The blocks below a key at the start of a line: `  name:` and all that is indented further. */
function blocks(workflow: string, key: string): Map<string, string> {
  const found = new Map<string, string>();
  const section = new RegExp(`^${key}:\\n((?: .*\\n|\\n)*)`, "m").exec(workflow)?.[1] ?? "";
  for (const part of section.split(/^(?= {2}[\w-]+:)/m)) {
    const name = /^ {2}([\w-]+):/.exec(part)?.[1];
    if (name !== undefined) found.set(name, part);
  }
  return found;
}

/** The permissions of a job, or of a workflow, one a line. */
function permissions(block: string, indent: string): string[] {
  const lines = new RegExp(`^${indent}permissions:\\n((?:${indent}  .*\\n)*)`, "m").exec(block)
    ?.[1];
  return (lines ?? "").split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

test("workflows: nothing is allowed that is not said, runs end, and none of two pushes overtakes", () => {
  assert.deepEqual(WORKFLOWS, [".github/workflows/ci.yml", ".github/workflows/release.yml"]);
  for (const path of WORKFLOWS) {
    const workflow = text(path);
    assert.match(workflow, /^permissions:( \{\}|\n {2}contents: read)\n/m, path);
    assert.match(
      workflow,
      /^concurrency:\n {2}group: \S.*\n {2}cancel-in-progress: (true|false)\n/m,
    );
    const jobs = blocks(workflow, "jobs");
    assert(jobs.size >= 4, path);
    for (const [name, job] of jobs) {
      if (/^ {4}uses: \.\/\.github\/workflows\/[\w.]+$/m.test(job)) continue;
      assert.match(job, /^ {4}runs-on: \S/m, `${path}: ${name}`);
      assert.match(job, /^ {4}timeout-minutes: [1-9]\d?$/m, `${path}: ${name}`);
    }
  }
});

test("workflows: every action has a major version, and no checkout leaves its token behind", () => {
  for (const path of WORKFLOWS) {
    const workflow = text(path);
    const used = [...workflow.matchAll(/\buses: (\S+)/g)].map(([, name]) => name!);
    assert(used.length > 0);
    for (const name of used) assert.match(name, /^(?:[\w-]+\/[\w-]+@v\d+|\.\/\.github\/\S+)$/);
    const checkouts = [...workflow.matchAll(/uses: actions\/checkout@.*\n((?: {8,}.*\n)*)/g)];
    for (const [, options] of checkouts) assert.match(options!, /persist-credentials: false/);
    // What strangers can name (a branch, a title) must not become part of a command.
    for (const [, command] of workflow.matchAll(/\brun: (.*(?:\n {10,}.*)*)/g)) {
      assert.doesNotMatch(command!, /\$\{\{/, path);
    }
  }
});

test("workflows: tests run on three systems, on Deno and three versions of Node", () => {
  const job = blocks(text(".github/workflows/ci.yml"), "jobs").get("test") ?? "";
  assert.match(job, /os: \[ubuntu-latest, macos-latest, windows-latest\]\n/);
  assert.match(job, /node: \[20, 22, 24\]\n/);
  for (const task of ["test", "npm", "test:node", "check:npm"]) {
    assert.match(job, new RegExp(`run: deno task ${task}\n`));
  }
});

test("publishing takes no secret, starts by a tag, and what may publish runs no code of the repository", () => {
  const release = text(".github/workflows/release.yml");
  assert.match(release, /^on:\n {2}push:\n {4}tags: \["v\*"\]\n\n/m);
  for (const path of WORKFLOWS) assert.doesNotMatch(text(path), /\bsecrets\b|registry-url/);
  const jobs = blocks(release, "jobs");
  const granted = [...jobs].map(([name, job]) => [name, permissions(job, "    ").join(", ")]);
  assert.deepEqual(Object.fromEntries(granted), {
    ci: "contents: read",
    verify: "contents: read",
    npm: "id-token: write",
    jsr: "contents: read, id-token: write",
    notes: "contents: write",
  });
  const commands = (name: string) =>
    [...(jobs.get(name) ?? "").matchAll(/\brun: (.*)$/gm)].map(([, command]) => command);
  assert.deepEqual(commands("npm"), [
    'npm publish ./package.tgz --provenance --access public --tag "$(cat dist-tag)"',
  ]);
  assert.deepEqual(commands("jsr"), [
    "deno ci",
    'cp "$RUNNER_TEMP/release/page_files.js" src/cli/web/',
    "deno publish",
  ]);
  for (const name of ["npm", "jsr"]) assert.match(jobs.get(name) ?? "", /^ {4}needs: verify$/m);
  assert.match(jobs.get("verify") ?? "", /^ {4}needs: ci$/m);
});

test("issue forms have what such forms need, and each asks for the version", () => {
  assert.equal(FORMS.length, 3);
  for (const path of FORMS) {
    const form = text(path);
    for (const key of ["name", "description", "body"]) {
      assert.match(form, new RegExp(`^${key}:`, "m"), path);
    }
    const ids = [...form.matchAll(/^ {4}id: (\w+)$/gm)].map(([, id]) => id!);
    assert.equal(new Set(ids).size, ids.length, path);
    const fields = [...form.matchAll(/^ {2}- type: (\w+)$/gm)].map(([, type]) => type!);
    assert.equal(fields.filter((type) => type !== "markdown").length, ids.length, path);
    for (const type of fields) {
      assert(["markdown", "input", "textarea", "dropdown", "checkboxes"].includes(type), type);
    }
    if (path.endsWith("/feature.yml")) continue;
    assert(ids.includes("version"), path);
    assert.match(form, /Never paste a/, path);
  }
  assert.match(text(".github/ISSUE_TEMPLATE/bug.yml"), /SECURITY\.md/);
  assert.match(text(".github/pull_request_template.md"), /SECURITY\.md/);
});
