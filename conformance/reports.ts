/** Results for people, for programs (JSON) and for build servers (JUnit). @module */
import type { CaseResult, Verdict } from "./case.ts";
import type { Summary } from "./runner.ts";

export interface ReportHead {
  readonly implementation: string;
  readonly summary: Summary;
  readonly milliseconds: number;
  readonly files: readonly { readonly path: string; readonly cases: number }[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

const COLORS: Readonly<Record<Verdict, number>> = {
  pass: 32,
  fail: 31,
  "not-strict": 33,
  unsupported: 90,
};

export function paint(text: string, verdict: Verdict, color: boolean): string {
  return color ? `\u001b[${COLORS[verdict]}m${text}\u001b[0m` : text;
}

/** What a program wrote, in one line and with nothing in it that moves the cursor of a terminal. */
function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  );
}

/** One line per case that did not pass, one per section, and the sum. */
export function textReport(
  head: ReportHead,
  results: readonly CaseResult[],
  color: boolean,
): string {
  const lines: string[] = [];
  for (const { path, reason } of head.skipped) lines.push(`skipped ${path}: ${reason}`);
  for (const one of results) {
    if (one.verdict === "pass") continue;
    lines.push(
      `${paint(one.verdict.padEnd(11), one.verdict, color)} ${one.level} ${one.id}  ${one.title}`,
    );
    lines.push(`            ${printable(one.detail)}`);
  }
  if (lines.length > 0) lines.push("");
  const sections = new Map<string, CaseResult[]>();
  for (const one of results) sections.set(one.section, [...sections.get(one.section) ?? [], one]);
  for (const [section, list] of [...sections].sort(([a], [b]) => Number(a) - Number(b))) {
    const passed = list.filter(({ verdict }) => verdict === "pass").length;
    lines.push(
      `SPEC ${section.padEnd(4)} ${String(passed).padStart(4)} of ${
        String(list.length).padStart(4)
      }  ${SECTIONS[section] ?? ""}`,
    );
  }
  const { pass, fail, unsupported } = head.summary;
  lines.push(
    "",
    `${head.implementation}: ${paint(`${pass} pass`, "pass", color)}, ` +
      `${paint(`${fail} fail`, fail > 0 ? "fail" : "pass", color)}, ` +
      `${head.summary["not-strict"]} not-strict, ${unsupported} unsupported ` +
      `(${results.length} cases, ${(head.milliseconds / 1000).toFixed(1)} s)`,
  );
  return lines.join("\n");
}

export const SECTIONS: Readonly<Record<string, string>> = {
  "0": "data files",
  "1": "varint",
  "2": "values",
  "3": "frame",
  "4": "packets and byte streams",
  "5": "seeds, identity, keys",
  "6": "handshake messages",
  "6.1": "suites",
  "6.2": "Noise handshake and parameters",
  "6.3": "loss, order",
  "6.4": "strangers, RETRY, cookies",
  "7": "protected frames",
  "8": "streams",
  "9": "records",
  "10": "unreliable paths",
  "12.9": "requests",
  "12.10": "folders",
  "12.13": "topics",
  "14.3": "headers of stores",
  "14.4": "chambers",
  "14.5": "contents",
  "14.6": "sealed streams",
  "15.1": "tickets",
  "15.2": "handshake of a resumption",
  "15.3": "what goes on",
  "15.4": "continuity on the wire",
};

export function jsonReport(head: ReportHead, results: readonly CaseResult[]): string {
  return JSON.stringify({ ...head, results }, null, 2);
}

export function junitReport(head: ReportHead, results: readonly CaseResult[]): string {
  const { fail, unsupported } = head.summary;
  const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="STT conformance" tests="${results.length}" failures="${fail}" skipped="${unsupported}" time="${
      seconds(head.milliseconds)
    }">`,
    `  <testsuite name="${
      escape(head.implementation)
    }" tests="${results.length}" failures="${fail}" skipped="${unsupported}" time="${
      seconds(head.milliseconds)
    }">`,
  ];
  for (const one of results) {
    const open = `    <testcase classname="SPEC ${one.section}" name="${escape(one.id)}" time="${
      seconds(one.milliseconds)
    }"`;
    const detail = escape(one.detail);
    if (one.verdict === "pass") lines.push(`${open}/>`);
    else if (one.verdict === "fail") {
      lines.push(`${open}><failure message="${detail}"/></testcase>`);
    } else if (one.verdict === "unsupported") {
      lines.push(`${open}><skipped message="${detail}"/></testcase>`);
    } else lines.push(`${open}><system-out>not-strict: ${detail}</system-out></testcase>`);
  }
  lines.push("  </testsuite>", "</testsuites>", "");
  return lines.join("\n");
}

function escape(text: string): string {
  return Array.from(
    text,
    (character) => ENTITIES[character] ?? (isXml(character) ? character : "?"),
  )
    .join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
};

/** XML 1.0 has no way to write control characters, lone surrogates and the two non-characters. */
function isXml(character: string): boolean {
  const point = character.codePointAt(0) as number;
  if (point < 0x20) return point === 0x09;
  return !(point >= 0xd800 && point <= 0xdfff) && point !== 0xfffe && point !== 0xffff;
}
