import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { nodeProvider } from "../src/crypto/mod.ts";
import { answerer } from "./adapter/operations.ts";
import { canonical } from "./case.ts";
import { allRules } from "./cases/mod.ts";
import type { Json, Request } from "./protocol.ts";
import { twinCall } from "./twin/ops.ts";

/** Decoders, and the field of the request that carries the bytes. */
const DECODERS: Readonly<Record<string, string>> = {
  "varint.decode": "hex",
  "value.decode": "hex",
  "frame.decode": "hex",
  "records.decode": "hex",
  "stream.decode": "hex",
  "message.parse": "frame",
  "parameters.decode": "hex",
  "request.decode": "hex",
  "folder.offer.decode": "hex",
  "folder.word.decode": "hex",
  "folder.answer.decode": "hex",
  "reply.decode": "hex",
  "topic.subscription.decode": "hex",
  "topic.message.decode": "hex",
};

const POOL: readonly Request[] = allRules().flatMap(({ tests }) => tests).map(({ request }) =>
  request
)
  .filter((request) => DECODERS[request.op] !== undefined && JSON.stringify(request).length < 3000);

/** One change of some bytes: insert, delete, replace. */
const edit = fc.record({
  kind: fc.constantFrom("insert", "delete", "replace"),
  place: fc.nat(4000),
  byte: fc.oneof(
    fc.constantFrom(0x00, 0x01, 0x10, 0x31, 0x40, 0x41, 0x7f, 0x80, 0xff),
    fc.nat(255),
  ),
});

test("src and the twin agree about the inputs of every rule, changed at random", async () => {
  const answer = answerer(nodeProvider());
  await fc.assert(
    fc.asyncProperty(
      fc.nat(POOL.length - 1),
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      async (index, edits) => {
        const base = POOL[index] as Request;
        const field = DECODERS[base.op] as string;
        const bytes = (base[field] as string).match(/../g) ?? [];
        for (const { kind, place, byte } of edits) {
          const at = bytes.length === 0 ? 0 : place % bytes.length;
          const text = byte.toString(16).padStart(2, "0");
          if (kind === "insert") bytes.splice(at, 0, text);
          else bytes.splice(at, 1, ...kind === "delete" ? [] : [text]);
        }
        const request: Request = { ...base, [field]: bytes.join("") };
        const { message: _, ...actual } = { message: "", ...await answer(request) };
        assert.equal(
          canonical(actual as Json),
          canonical(twinCall(request) as Json),
          JSON.stringify(request),
        );
      },
    ),
    { numRuns: 8000 },
  );
});

test("src and the twin agree that a value of another kind than dict names no message", async () => {
  const answer = answerer(nodeProvider());
  for (const value of ["00", "02", "1001", "3000000000", "3100000000", "4000000000"]) {
    const body = `05${"00".repeat(30)}${value}`;
    const length = (body.length / 2).toString(16).padStart(2, "0");
    const request: Request = { op: "message.parse", frame: `5354${length}${body}` };
    const { error } = await answer(request) as { readonly error?: string };
    assert.equal(error, "type", value);
    assert.deepEqual(twinCall(request), { error: "type" });
  }
});

test("src and the twin judge several faults of a payload in the same order", async () => {
  const answer = answerer(nodeProvider());
  const entry = (key: string, value: string): string =>
    `31${key.length.toString(16).padStart(8, "0")}${
      [...key].map((letter) => letter.charCodeAt(0).toString(16)).join("")
    }${value}`;
  const none = "4000000000";
  const one = "40000000011001";
  for (
    const [suite, suites, version, versions, verdict] of [
      ["1001", none, "1000", one, "version"],
      ["1002", none, "1000", none, "suite"],
      ["1002", one, "00", one, "suite"],
      ["1001", one, "00", none, "parameter"],
      ["1001", none, "1001", none, "suite"],
      ["1001", one, "1001", none, "version"],
    ] as const
  ) {
    const entries = [
      entry("suite", suite),
      entry("suites", suites),
      entry("version", version),
      entry("versions", versions),
    ];
    const request: Request = {
      op: "parameters.decode",
      hex: `4100000004${entries.join("")}`,
      suite: 1,
      own_suites: [1, 2],
      own_app: "",
      from_initiator: false,
    };
    const { error } = await answer(request) as { readonly error?: string };
    assert.deepEqual([error, twinCall(request)], [verdict, { error: verdict }]);
  }
});
