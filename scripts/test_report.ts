/**
 * Reads what the two test runners write (JUnit from Deno, JSON lines from Node) into one set of counts.
 *
 * @module
 */

/** One test that did not run, and why. */
export interface SkippedTest {
  /** Where it stands. */
  file: string;
  /** Its name, with the names of its parents before it. */
  name: string;
  /** The reason given in the source, if one is found. */
  reason: string;
}

/** The outcome of one run. */
export interface TestCounts {
  passed: number;
  failed: number;
  skipped: SkippedTest[];
  /** Names of the failed tests, with their files. */
  failures: string[];
}

/** The line that ends every test command. */
export function countedLine(passed: number, failed: number, skipped: number): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** The counts in a counted line, or undefined if `line` is none. */
export function parseCountedLine(
  line: string,
): { passed: number; failed: number; skipped: number } | undefined {
  const match = /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(line.trim());
  if (match === null) return undefined;
  return { passed: Number(match[1]), failed: Number(match[2]), skipped: Number(match[3]) };
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  amp: "&",
};

function decodeEntities(text: string): string {
  return text.replace(/&(#x?[0-9a-fA-F]+|\w+);/g, (whole, name: string) => {
    if (name.startsWith("#x")) return String.fromCodePoint(parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(parseInt(name.slice(1), 10));
    return ENTITIES[name] ?? whole;
  });
}

function attribute(tag: string, name: string): string {
  const match = new RegExp(`\\s${name}="([^"]*)"`).exec(tag);
  return decodeEntities(match?.[1] ?? "");
}

/**
 * Counts the leaves of a JUnit report: a test with steps counts through its steps, and by itself only when its own
 * body failed.
 */
export function readJunit(xml: string): TestCounts {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: [], failures: [] };
  for (const suite of xml.matchAll(/<testsuite\s[^>]*>([\s\S]*?)<\/testsuite>/g)) {
    const cases: { name: string; file: string; body: string }[] = [];
    for (
      const found of (suite[1] ?? "").matchAll(
        /<testcase\s([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
      )
    ) {
      const tag = ` ${found[1] ?? ""}`;
      cases.push({
        name: attribute(tag, "name"),
        file: attribute(tag, "classname").replace(/^\.\//, ""),
        body: found[2] ?? "",
      });
    }
    const parents = new Set<string>();
    for (const { name } of cases) {
      const steps = name.split(" > ");
      for (let i = 1; i < steps.length; i++) parents.add(steps.slice(0, i).join(" > "));
    }
    for (const { name, file, body } of cases) {
      const failed = /<(failure|error)\b/.test(body);
      if (failed && /<failure message="\d+ test steps? failed"/.test(body)) continue;
      if (failed) {
        counts.failed++;
        counts.failures.push(`${file}: ${name}`);
      } else if (/<skipped\b/.test(body)) {
        counts.skipped.push({ file, name, reason: "" });
      } else if (!parents.has(name)) {
        counts.passed++;
      }
    }
  }
  return counts;
}

/** One line of scripts/node_reporter.mjs. */
interface NodeEvent {
  outcome: "pass" | "fail";
  file: string;
  name: string;
  nesting: number;
  skip: boolean | string;
  todo: boolean | string;
  failureType: string;
}

/** Counts the leaves of what scripts/node_reporter.mjs wrote: one JSON object a line, children before their parents. */
export function readNodeEvents(lines: string): TestCounts {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: [], failures: [] };
  let deepest = -1;
  for (const line of lines.split("\n")) {
    if (line === "") continue;
    const event = JSON.parse(line) as NodeEvent;
    const isParent = deepest > event.nesting;
    deepest = event.nesting;
    const { file, name } = event;
    // Node reports a file without tests as one passed test of the file's own name.
    if (event.outcome === "pass" && name === file) continue;
    if (event.skip !== false || event.todo !== false) {
      const reason = typeof event.skip === "string" ? event.skip : "";
      counts.skipped.push({ file, name, reason });
    } else if (event.outcome === "fail") {
      if (event.failureType === "subtestsFailed") continue;
      counts.failed++;
      counts.failures.push(`${file}: ${name}`);
    } else if (!isParent) {
      counts.passed++;
    }
  }
  return counts;
}
