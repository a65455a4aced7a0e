/**
 * The documents against the code: tables of errors, options, records and parameters, clauses that comments cite, links.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { connectionLimits } from "../src/connection/config.ts";
import type { ConnectionLimits, ConnectionOptions } from "../src/connection/config.ts";
import * as root from "../mod.ts";
import * as codec from "../src/codec/mod.ts";
import * as core from "../src/connection/mod.ts";
import * as crypto from "../src/crypto/mod.ts";
import * as storage from "../src/storage/mod.ts";
import * as testing from "../src/testing/mod.ts";
import * as constants from "../src/constants.ts";
import { type ErrorCode, ERRORS } from "../src/errors.ts";
import { DEFAULT_TRANSPORT_PARAMETERS } from "../src/handshake/parameters.ts";
import {
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_MAX_HALF_OPEN_UPGRADES,
  DEFAULT_MAX_HEADER_BYTES,
  DEFAULT_UPGRADE_TIMEOUT_MS,
} from "../src/transport/limits.ts";
import { filesUnder, ROOT } from "./source_files.ts";

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** The text from a heading to the next one of the same or a higher level. */
function section(text: string, heading: string): string {
  const lines = text.split("\n");
  const start = lines.indexOf(heading);
  assert.notEqual(start, -1, `no heading ${heading}`);
  const level = heading.indexOf(" ");
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => /^#+ /.test(line) && line.indexOf(" ") <= level);
  return rest.slice(0, end === -1 ? rest.length : end).join("\n");
}

/** The cells of each table row, without the head and the rule below it. */
function rows(text: string): string[][] {
  const found: string[][] = [];
  let inTable = false;
  for (const line of text.split("\n")) {
    if (!line.startsWith("|")) {
      inTable = false;
    } else if (!inTable) {
      inTable = true;
    } else if (!/^\|[ :|-]+\|$/.test(line)) {
      found.push(line.slice(1, -1).split("|").map((cell) => cell.trim()));
    }
  }
  return found;
}

/** The names of a table's first column: `a` or `a`, `b`. */
function names(text: string): string[] {
  return rows(text).flatMap((cells) =>
    [...cells[0]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!)
  );
}

/** The fields that an interface declares. */
function fieldsOf(path: string, name: string): string[] {
  const source = read(path);
  const start = source.indexOf(`export interface ${name} `);
  assert.notEqual(start, -1, `${path} declares no ${name}`);
  const body = source.slice(start, source.indexOf("\n}", start));
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, field]) => field!);
}

function sameNames(
  documented: readonly string[],
  declared: readonly string[],
  where: string,
): void {
  const missing = declared.filter((name) => !documented.includes(name));
  const gone = documented.filter((name) => !declared.includes(name));
  assert.deepEqual({ missing, gone }, { missing: [], gone: [] }, where);
}

const OPTIONS = read("docs/options.md");
const SPEC = read("SPEC.md");
const DOCUMENTS = [
  "README.md",
  "SPEC.md",
  "SECURITY.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  ...filesUnder("docs", [".md"]),
  "examples/README.md",
];

function hex(wire: number): string {
  return wire.toString(16).padStart(2, "0").toUpperCase();
}

test("the documented table of errors is that of errors.ts", () => {
  const expected = (Object.keys(ERRORS) as ErrorCode[]).map((code) => {
    const { wire, text } = ERRORS[code];
    return [`\`${code}\``, wire === null ? "" : hex(wire), text].join(" | ");
  });
  const documented = rows(read("docs/errors.md")).map((cells) => cells.join(" | "));
  assert.deepEqual(documented, expected);
});

test("SPEC's numbers of errors are those of errors.ts", () => {
  const documented = new Map<string, string>();
  for (const cells of rows(section(SPEC, "### 9.2 Error codes"))) {
    for (let at = 0; at + 1 < cells.length; at += 2) {
      if (cells[at + 1] !== "") documented.set(cells[at + 1]!, cells[at]!);
    }
  }
  // The columns need not be of one length.
  documented.delete("");
  for (const [code, { wire }] of Object.entries(ERRORS)) {
    if (wire === null || wire >= 0x100) continue;
    assert.equal(documented.get(code), hex(wire), code);
    documented.delete(code);
  }
  assert.deepEqual([...documented.keys()], []);
});

test("docs/events.md has the events of each class", () => {
  const interfaces: readonly (readonly [string, string, string])[] = [
    ["Peer", "src/endpoint/peer_events.ts", "PeerEvents"],
    ["Listener", "src/endpoint/listener_events.ts", "ListenerEvents"],
    ["SttNode", "src/endpoint/stt_node.ts", "SttNodeEvents"],
    ["Endpoints", "src/endpoint/requests/endpoints.ts", "EndpointsEvents"],
    ["Group", "src/endpoint/groups/group.ts", "GroupEvents"],
    ["Topics", "src/endpoint/groups/topics.ts", "TopicsEvents"],
    ["SessionPool", "src/endpoint/pool/pool.ts", "SessionPoolEvents"],
  ];
  const page = read("docs/events.md");
  for (const [heading, path, name] of interfaces) {
    const source = read(path);
    const start = source.indexOf(`export interface ${name} {`);
    const body = source.slice(start, source.indexOf("\n}", start));
    const declared = [...body.matchAll(/^ {2}readonly "?([\w-]+)"?:/gm)].map(([, event]) => event!);
    const documented = rows(section(page, `## ${heading}`)).map(([cell]) => cell!.slice(1, -1));
    sameNames(documented, declared, name);
  }
});

test("SPEC's records are those of constants.ts", () => {
  const documented = rows(section(SPEC, "### 9.1 Form"))
    .map(([number, name]) => `RECORD_${name} ${Number.parseInt(number!, 16)}`);
  const declared = Object.entries(constants)
    .filter(([name]) => name.startsWith("RECORD_"))
    .map(([name, value]) => `${name} ${value}`);
  assert.deepEqual(documented.sort(), declared.sort());
});

test("SPEC's transport parameters have the defaults of parameters.ts", () => {
  const documented = new Map(
    rows(section(SPEC, "### 6.2 Suites 1 and 2: Noise"))
      .filter((cells) => cells.length === 5)
      .map(([key, , value]) => [key!, value!]),
  );
  for (const [field, value] of Object.entries(DEFAULT_TRANSPORT_PARAMETERS)) {
    const key = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const expected = typeof value === "string" ? JSON.stringify(value) : String(value);
    assert.equal(documented.get(key), expected, key);
  }
});

test("the documented options are those that the interfaces declare", () => {
  const transport = "src/transport/transport.ts";
  const common = names(section(OPTIONS, "## `connect` and `listen`"));
  sameNames(
    common,
    [
      ...fieldsOf("src/connection/config.ts", "ConnectionOptions"),
      ...fieldsOf("src/endpoint/options.ts", "EndpointOptions"),
    ],
    "connect and listen",
  );
  sameNames(
    names(section(OPTIONS, "## `connect` alone")),
    fieldsOf("src/endpoint/options.ts", "ConnectOptions"),
    "connect",
  );
  sameNames(
    names(section(OPTIONS, "## `listen` alone")),
    fieldsOf("src/endpoint/options.ts", "ListenOptions"),
    "listen",
  );
  sameNames(
    names(section(OPTIONS, "## `transport`")),
    [
      ...new Set([
        ...fieldsOf(transport, "DialOptions"),
        ...fieldsOf(transport, "ListenTransportOptions"),
      ]),
    ].filter((name) => name !== "signal"),
    "transport",
  );
});

test("documented defaults and ranges of connections are those in force", () => {
  const defaults = connectionLimits({});
  const takes = (option: string, value: number): boolean => {
    try {
      connectionLimits({ [option]: value } as ConnectionOptions);
      return true;
    } catch {
      return false;
    }
  };
  for (const cells of rows(section(OPTIONS, "## `connect` and `listen`"))) {
    const option = cells[0]!.replaceAll("`", "") as keyof ConnectionLimits;
    if (!(option in defaults)) continue;
    const value = defaults[option];
    assert.equal(cells[1], value === "" ? '""' : String(value), `default of ${option}`);
    const range = /^(\d+) to (\d+)$/.exec(cells[2]!);
    if (range === null) {
      assert.equal(typeof value === "number", false, `${option} has no range`);
      continue;
    }
    const [low, high] = [Number(range[1]), Number(range[2])];
    assert.deepEqual(
      [takes(option, low - 1), takes(option, low), takes(option, high), takes(option, high + 1)],
      [false, true, true, false],
      `range of ${option}`,
    );
  }
});

test("other documented defaults are those of the code", () => {
  const documented = new Map(
    rows(OPTIONS).flatMap((cells) =>
      [...cells[0]!.matchAll(/`(\w+)`/g)].map(([, name]) =>
        [name!, cells.find((cell) => /^\d+$/.test(cell))] as const
      )
    ),
  );
  const maxSessions = /DEFAULT_MAX_SESSIONS = (\d+);/.exec(read("src/endpoint/listener.ts"))?.[1];
  const expected: Record<string, number> = {
    handshakeTimeout: constants.DEFAULT_HANDSHAKE_TIMEOUT_MS,
    acceptTimeout: constants.DEFAULT_ACCEPT_TIMEOUT_MS,
    maxSessions: Number(maxSessions),
    halfOpen: constants.DEFAULT_HALF_OPEN,
    halfOpenPerAddress: constants.DEFAULT_HALF_OPEN_PER_ADDRESS,
    handshakeRate: constants.DEFAULT_HANDSHAKE_RATE,
    upgradeTimeoutMs: DEFAULT_UPGRADE_TIMEOUT_MS,
    maxConnections: DEFAULT_MAX_CONNECTIONS,
    maxHalfOpenUpgrades: DEFAULT_MAX_HALF_OPEN_UPGRADES,
    maxHeaderBytes: DEFAULT_MAX_HEADER_BYTES,
  };
  for (const [option, value] of Object.entries(expected)) {
    assert.equal(documented.get(option), String(value), option);
  }
});

/** The numbers of SPEC's headings and clauses: "6", "6.2", "6.2.9". */
function clauses(): Set<string> {
  const found = new Set<string>();
  for (const line of SPEC.split("\n")) {
    const number = /^(?:#+ )?(\d+(?:\.\d+)*)\.? /.exec(line)?.[1];
    if (number !== undefined) found.add(number);
  }
  return found;
}

test("every clause of SPEC that a file cites exists", () => {
  const known = clauses();
  const files = ["src", "conformance", "scripts", "bench", "examples", "docs", "vectors"]
    .flatMap((path) => filesUnder(path, [".ts", ".md"]));
  const wrong: string[] = [];
  for (const path of [...files, "README.md", "SECURITY.md", "CONTRIBUTING.md", "mod.ts"]) {
    for (const [text, number] of read(path).matchAll(/\bSPEC (\d+(?:\.\d+)*)/g)) {
      if (!known.has(number!)) wrong.push(`${path}: ${text}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("SPEC's references to its own clauses exist", () => {
  const known = clauses();
  // Numbers with three parts can be nothing else; two parts could be a version of something.
  const cited = [...SPEC.matchAll(/(?<![\d.])(\d+\.\d+\.\d+)(?![\d.]\d)/g)].map(([, number]) =>
    number!
  );
  assert.deepEqual(cited.filter((number) => !known.has(number) && !/^0\./.test(number)), []);
});

/** What GitHub makes of a heading. */
function anchor(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

test("links between the documents lead somewhere", () => {
  const wrong: string[] = [];
  for (const path of DOCUMENTS) {
    const text = read(path).replace(/^```[\s\S]*?^```/gm, "");
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      const [file, name] = target!.split("#");
      const url = file === "" ? new URL(path, ROOT) : new URL(file!, new URL(path, ROOT));
      if (!existsSync(url)) {
        wrong.push(`${path}: ${target}`);
      } else if (name !== undefined) {
        const headings = readFileSync(url, "utf8").split("\n").filter((line) => /^#+ /.test(line));
        const anchors = headings.map((line) => anchor(line.replace(/^#+ /, "")));
        if (!anchors.includes(name)) wrong.push(`${path}: ${target}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

test("TypeScript in the documents is marked so that the tests run it", () => {
  const known = ["ts", "sh", "text", "json"];
  for (const path of DOCUMENTS) {
    let open = false;
    for (const line of read(path).split("\n")) {
      const mark = /^\s*```(.*)$/.exec(line);
      if (mark === null) continue;
      open = !open;
      if (open) assert.ok(known.includes(mark[1]!), `${path}: a block is marked ${mark[1]}`);
    }
    assert.equal(open, false, `${path}: a block does not end`);
  }
});

/** `Class.member` or a bare name, out of the columns that say what to call here. */
function namedHere(text: string): string[] {
  return rows(text).flatMap((cells) =>
    [...(cells[1] ?? "").matchAll(/`(?:new )?([A-Z]\w+\.\w+|\w+)(?:\([^`]*)?`/g)].map(([, name]) =>
      name!
    )
  );
}

test("what migration.md says to call is there", () => {
  const exported: Record<string, unknown> = {
    ...root,
    ...codec,
    ...crypto,
    ...core,
    ...storage,
    ...testing,
  };
  const options = names(OPTIONS);
  const types = ["src/endpoint/", "src/storage/", "src/transport/"]
    .flatMap((path) => filesUnder(path, [".ts"]))
    .map(read).join("\n");
  const there = (name: string): boolean => {
    const [base = "", member] = name.split(".");
    const value = exported[base] as { prototype?: object } | undefined;
    if (member === undefined) {
      return value !== undefined || options.includes(base) ||
        new RegExp(`export (?:interface|type) ${base}\\b`).test(types);
    }
    return value?.prototype !== undefined &&
      (member in value.prototype || new RegExp(`readonly ${member}: `).test(types));
  };
  const named = namedHere(read("docs/migration.md"));
  assert.ok(named.length > 50, `${named.length} names`);
  assert.deepEqual(named.filter((name) => name !== "stt" && !there(name)), []);
});

test("README's table of imports has every entry point", () => {
  const { exports } = JSON.parse(read("deno.json")) as { exports: Record<string, string> };
  const documented = rows(section(read("README.md"), "## Install")).map(([name = ""]) => name);
  const declared = Object.keys(exports).map((name) => `\`@seigr/stt${name.slice(1)}\``);
  assert.deepEqual(documented.sort(), declared.sort());
});

test("docs/README.md leads to every page", () => {
  const index = read("docs/README.md");
  const pages = filesUnder("docs", [".md"]).map((path) => path.replace("docs/", ""));
  const missing = pages.filter((page) => page !== "README.md" && !index.includes(`](${page})`));
  assert.deepEqual(missing, []);
});
