import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { checkLayers } from "./check_layers.ts";
import { EARLY_COMPARISONS, PUBLIC_COMPARISONS } from "./layer_rules.ts";

const MANIFEST = {
  exports: {
    ".": "./mod.ts",
    "./noble": "./src/crypto/noble_provider.ts",
    "./browser": "./src/browser/mod.ts",
  },
  imports: { ws: "npm:ws@8.23.0" },
};

/** A small tree that keeps every rule. */
const CLEAN: Readonly<Record<string, string>> = {
  "mod.ts": `export { a } from "./src/codec/mod.ts";\n`,
  "src/errors.ts": `export const e = 1;\n`,
  "src/codec/mod.ts": `export { a } from "./a.ts";\n`,
  "src/codec/a.ts": `import { e } from "../errors.ts";\nexport const a = e;\n`,
  "src/codec/a_naive.ts": `export const slow = 1;\n`,
  "src/codec/a_test.ts":
    `import { test } from "node:test";\nimport { slow } from "./a_naive.ts";\n` +
    `test("a", async () => { await slow; setTimeout(() => {}); Date.now(); });\n`,
  "src/crypto/node_provider.ts":
    `import { randomBytes } from "node:crypto";\nexport { randomBytes };\n`,
  "src/crypto/noble_provider.ts":
    `import { x25519 } from "@noble/curves/ed25519.js";\nexport const k = globalThis.crypto ?? x25519;\n`,
  "src/handshake/h.ts":
    `export class H { crypto = 1; process(Date: number): number { return this.crypto + Date; } }\n`,
  "src/session/s.ts": `export const s = 1;\n`,
  "src/streams/t.ts": `export const t = 1;\n`,
  "src/connection/c.ts": `import { s } from "../session/s.ts";\nexport const c = s;\n`,
  "src/transport/w.ts": `export async function w(deno: boolean): Promise<unknown> {\n` +
    `  const name = deno ? "npm:ws@8.23.0" : "ws";\n  return await import(name);\n}\n`,
  "src/browser/mod.ts":
    `export { k } from "../crypto/noble_provider.ts";\nexport { d } from "../endpoint/d.ts";\n`,
  "src/endpoint/d.ts": `export const d = setTimeout;\n`,
  "src/endpoint/n.ts":
    `import { c } from "../connection/c.ts";\nexport const n = [c, Date.now()];\n`,
};

function judge(change: Readonly<Record<string, string>>): string[] {
  const tree = new Map(Object.entries({ ...CLEAN, ...change }));
  return checkLayers(tree, MANIFEST).map(({ file, line, text }) => `${file}:${line}: ${text}`);
}

test("a tree that keeps the rules has no violations", () => {
  assert.deepEqual(judge({}), []);
});

const PLANTED: readonly [name: string, file: string, text: string, expected: RegExp][] = [
  [
    "an import upwards",
    "src/codec/a.ts",
    `import "../session/s.ts";`,
    /codec must not import session/,
  ],
  [
    "a sideways import",
    "src/handshake/h.ts",
    `import { s } from "../session/s.ts";\nexport const h = s;`,
    /handshake must not import session/,
  ],
  [
    "a type import upwards",
    "src/streams/t.ts",
    `import type { c } from "../connection/c.ts";\nexport type T = typeof c;`,
    /streams must not import connection \(type import/,
  ],
  [
    "a runtime's module in the browser",
    "src/endpoint/d.ts",
    `import { setTimeout } from "node:timers";\nexport const d = setTimeout;`,
    /static import of node:timers is reached from export "\.\/browser"/,
  ],
  [
    "a runtime's type in the browser",
    "src/endpoint/d.ts",
    `import type { Socket } from "node:net";\nexport const d: Socket | undefined = undefined;`,
    /type import of node:net is reached from export "\.\/browser"/,
  ],
  [
    "a runtime's module in the browser, on first use",
    "src/endpoint/d.ts",
    `export const d = () => import("node:net");`,
    /dynamic import of node:net is reached from export "\.\/browser"/,
  ],
  [
    "a computed module in the browser",
    "src/endpoint/d.ts",
    `export const d = (name: string) => import(name);`,
    /dynamic import of \(computed\) is reached from export "\.\/browser"/,
  ],
  [
    "an import type upwards",
    "src/streams/t.ts",
    `export type T = typeof import("../connection/c.ts").c;`,
    /streams must not import connection \(type import/,
  ],
  [
    "a dynamic import upwards",
    "src/transport/w.ts",
    `export const w = () => import("../endpoint/n.ts");`,
    /transport must not import endpoint \(dynamic/,
  ],
  [
    "an export from above",
    "src/session/s.ts",
    `export { c } from "../connection/c.ts";`,
    /session must not import connection/,
  ],
  [
    "connection over transport",
    "src/connection/c.ts",
    `export { w } from "../transport/w.ts";`,
    /connection must not import transport/,
  ],
  [
    "an unknown folder",
    "src/misc/m.ts",
    `export { e } from "../errors.ts";`,
    /src\/misc has no rule/,
  ],
  ["a missing file", "src/codec/a.ts", `import "./gone.ts";`, /there is no src\/codec\/gone\.ts/],
  ["a path without .ts", "src/codec/a.ts", `import "./mod";`, /relative imports name a \.ts file/],
  ["a way out of src", "src/codec/a.ts", `import "../../mod.ts";`, /outside of src/],
  [
    "a slow twin",
    "src/codec/a.ts",
    `export { slow } from "./a_naive.ts";`,
    /slow twins are for tests/,
  ],
  ["a test as a module", "src/codec/a.ts", `import "./a_test.ts";`, /imports the test/],
  [
    "node: in a pure layer",
    "src/codec/a.ts",
    `import "node:fs";`,
    /pure layers import no node: module/,
  ],
  [
    "another node: module in the provider",
    "src/crypto/node_provider.ts",
    `import "node:fs";`,
    /pure layers import no node: module/,
  ],
  [
    "noble elsewhere",
    "src/crypto/hkdf.ts",
    `import "@noble/hashes/hkdf.js";`,
    /only src\/crypto\/noble/,
  ],
  [
    "an unlisted package",
    "src/endpoint/n.ts",
    `import "lodash";`,
    /not a package that src\/ may use/,
  ],
  ["jsr:", "src/endpoint/n.ts", `import "jsr:@std/assert";`, /not a package that src\/ may use/],
  ["ws loaded at once", "src/endpoint/n.ts", `import "ws";`, /only src\/transport\/ may/],
  [
    "another version of ws",
    "src/transport/w.ts",
    `export const w = () => import("npm:ws@8.0.0");`,
    /npm:ws@8\.0\.0 is not the version of deno\.json/,
  ],
  ["Date.now", "src/session/s.ts", `export const s = Date.now();`, /global Date in a pure layer/],
  ["performance", "src/session/s.ts", `export const s = performance.now();`, /global performance/],
  ["setTimeout", "src/streams/t.ts", `setTimeout(() => {}, 1);`, /global setTimeout/],
  [
    "the crypto global",
    "src/handshake/h.ts",
    `export const h = crypto.randomUUID();`,
    /global crypto/,
  ],
  ["a shorthand global", "src/handshake/h.ts", `export const h = { crypto };`, /global crypto/],
  ["Deno", "src/codec/a.ts", `export const a = Deno.args;`, /global Deno in a pure layer/],
  ["process", "src/codec/a.ts", `export const a = process.env;`, /global process in a pure layer/],
  ["globalThis", "src/codec/a.ts", `export const a = globalThis;`, /global globalThis/],
  ["a promise", "src/connection/c.ts", `export const c = Promise.resolve();`, /global Promise/],
  [
    "async code",
    "src/connection/c.ts",
    `export async function c(): Foo {}`,
    /async code in a pure/,
  ],
  ["Math.random", "src/endpoint/n.ts", `export const n = Math.random();`, /Math\.random/],
  [
    "using",
    "src/endpoint/n.ts",
    `export function n(): void { using x = y(); }`,
    /`using` does not run/,
  ],
  [
    "await using",
    "src/endpoint/n.ts",
    `export async function n(): Foo { await using x = y(); }`,
    /`using` does not run/,
  ],
  ["any", "src/endpoint/n.ts", `export const n: any = 1;`, /any is banned/],
  ["an enum", "src/endpoint/n.ts", `enum N { A }`, /enum is banned/],
  [
    "an empty catch",
    "src/endpoint/n.ts",
    `try { n(); } catch { /* no */ }`,
    /empty catch is banned/,
  ],
  ["@ts-ignore", "src/endpoint/n.ts", `// @ts-ignore\nexport const n = 1;`, /@ts-ignore is banned/],
  ["import.meta.main", "src/cli/b.ts", `if (import.meta.main) go();`, /import\.meta\.main/],
  [
    "Deno in a test that runs on Node",
    "src/codec/a_test.ts",
    `Deno.test("x", () => {});`,
    /name the file _deno_test\.ts/,
  ],
  [
    "a test over the network",
    "src/codec/a_test.ts",
    `import "jsr:@std/assert";`,
    /tests need no network/,
  ],
  [
    "a tag compared byte by byte",
    "src/session/s.ts",
    `export const s = (a: Uint8Array, b: Uint8Array) => a.every((byte, i) => byte === b[i]);`,
    /compares bytes one by one: .*CryptoProvider.equal/,
  ],
  [
    "a tag compared in a loop",
    "src/session/s.ts",
    `export function s(a: Uint8Array, b: Uint8Array) {\n  for (const i in a) if (a[i] !== b[i]) return;\n}`,
    /:2: compares bytes one by one/,
  ],
  [
    "a cookie compared as text",
    "src/streams/t.ts",
    `export const t = (a: string) => toHex(cookie) === a || a !== toBase64Url(cookie);`,
    /compares bytes as text/,
  ],
  [
    "a comparison past the provider",
    "src/endpoint/n.ts",
    `import { timingSafeEqual } from "node:crypto";\nexport const n = timingSafeEqual;`,
    /:1: goes past the provider/,
  ],
  [
    "public bytes compared where secrets may be",
    "src/connection/c.ts",
    `import { sameBytes } from "../handshake/bytes.ts";\nexport const c = sameBytes;`,
    /uses sameBytes/,
  ],
];

for (const [name, file, text, expected] of PLANTED) {
  test(`${name} is caught`, () => {
    const found = judge({ [file]: text });
    assert.ok(
      found.some((line) => line.startsWith(`${file}:`) && expected.test(line)),
      found.join("\n"),
    );
  });
}

test("a type import of a package in the graph of mod.ts is caught", () => {
  const found = judge({
    "mod.ts": `export { w } from "./src/transport/w.ts";`,
    "src/transport/w.ts": `import type { WebSocket } from "ws";\nexport type W = WebSocket;`,
  });
  assert.deepEqual(found, [
    'src/transport/w.ts:1: type import of ws is reached from export ".": only relative and node: ' +
    "imports load by plain URL",
  ]);
});

test("noble reached from mod.ts is caught", () => {
  const found = judge({ "mod.ts": `export * from "./src/crypto/noble_provider.ts";` });
  assert.ok(found[0]?.includes('reached from export "."'), found.join("\n"));
});

test("a ring of value imports is caught, a ring of type imports is not", () => {
  const ring = judge({
    "src/streams/t.ts": `import { u } from "./u.ts";\nexport const t = () => u;`,
    "src/streams/u.ts": `import { t } from "./t.ts";\nexport const u = () => t;`,
  });
  assert.deepEqual(ring, [
    "src/streams/u.ts:1: import cycle: src/streams/t.ts > src/streams/u.ts > src/streams/t.ts",
  ]);
  assert.deepEqual(
    judge({
      "src/streams/t.ts": `import { u } from "./u.ts";\nexport const t = () => u;`,
      "src/streams/u.ts": `import type { t } from "./t.ts";\nexport const u = (x: typeof t) => x;`,
    }),
    [],
  );
});

test("comparisons in tests, in comments and of public bytes are left alone", () => {
  const compare =
    `export const s = (a: Uint8Array, b: Uint8Array) => a.every((x, i) => x === b[i]);`;
  assert.deepEqual(
    judge({
      "src/session/s_test.ts": compare,
      "src/session/s_naive.ts": compare,
      "src/session/s.ts": `// toHex(tag) === text\n/** a[i] !== b[i] */\nexport const s = 1;`,
      "src/handshake/bytes.ts": compare,
    }),
    [],
  );
});

test("every file whose comparisons are excused has one, and says why", () => {
  for (const { file, reason } of PUBLIC_COMPARISONS) {
    const text = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
    assert.ok(EARLY_COMPARISONS.some(({ pattern }) => pattern.test(text)), file);
    assert.ok(reason.length > 5);
  }
});
