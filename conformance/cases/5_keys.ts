/** SPEC 5 and the key schedule of 6.2 and 7. @module */
import { type Rule, RuleBook, sample, test } from "./rule.ts";

const LABELS = ["a", "b", "c", "d"];

export function keyRules(): Rule[] {
  const book = new RuleBook("5");
  book.accepts(1, "seed-keys", "keys of a shared seed", [
    ...LABELS.map((label) =>
      test(`seed ${label}`, "seed.keys", {
        seed: sample(`seed ${label}`, 32),
        nonce: sample(`nonce ${label}`, 32),
      })
    ),
    test("33 bytes", "seed.keys", { seed: sample("seed of 33", 33), nonce: sample("nonce a", 32) }),
    test("200 bytes", "seed.keys", {
      seed: sample("seed of 200", 200),
      nonce: sample("nonce a", 32),
    }),
    test("zeros", "seed.keys", { seed: "00".repeat(32), nonce: "00".repeat(32) }),
  ]);
  book.refuses(
    2,
    "short-seed",
    "seeds shorter than 32 bytes are refused",
    [0, 1, 16, 31].flatMap((length) => [
      test(`shared seed of ${length}`, "seed.keys", { seed: "aa".repeat(length) }),
      test(`node seed of ${length}`, "node.key", { node_seed: "aa".repeat(length) }),
    ]),
  );
  book.accepts(
    3,
    "node-id",
    "static keys from node seeds",
    LABELS.map((label) =>
      test(`node seed ${label}`, "node.key", { node_seed: sample(`node seed ${label}`, 32) })
    ),
  );
  return book.rules;
}

export function scheduleRules(): Rule[] {
  const book = new RuleBook("6.2");
  const outputs = (label: string): string[] => [1, 2, 3].map((n) => sample(`out${n} ${label}`, 32));
  book.accepts(
    1,
    "key-schedule",
    "secrets from Split's three outputs and the handshake hash",
    LABELS.map((label) =>
      test(label, "key.schedule", {
        outputs: outputs(label),
        handshake_hash: sample(`hash ${label}`, 32),
      })
    ),
  );
  const base = { outputs: outputs("export"), handshake_hash: sample("hash export", 32) };
  book.accepts(2, "export", "exported secrets", [
    ...[1, 32, 48, 255, 8160].map((length) =>
      test(`${length} bytes`, "key.export", { ...base, label: "test", context: "", length })
    ),
    test("a context", "key.export", { ...base, label: "test", context: "00", length: 32 }),
    test("a label that is not ASCII", "key.export", {
      ...base,
      label: "schl\u00fcssel",
      context: "",
      length: 32,
    }),
    test("no label", "key.export", { ...base, label: "", context: "", length: 32 }),
  ]);
  book.refuses(
    3,
    "export-length",
    "more than 8160 bytes are not exported",
    [8161, 10000, 65536].map((length) =>
      test(`${length} bytes`, "key.export", { ...base, label: "test", context: "", length })
    ),
  );
  book.accepts(4, "confirmation", "the confirmation of FINAL", [
    test("without the field", "key.confirmation", {
      final: sample("final", 32),
      handshake_hash: sample("hash a", 32),
      fields: {
        type: { text: "FINAL" },
        session_id: { bytes: "0102030405060708" },
        timestamp: { int: "1731000000000" },
      },
    }),
    test("the field itself is not covered", "key.confirmation", {
      final: sample("final", 32),
      handshake_hash: sample("hash a", 32),
      fields: {
        type: { text: "FINAL" },
        session_id: { bytes: "0102030405060708" },
        timestamp: { int: "1731000000000" },
        confirmation: { bytes: "ff".repeat(16) },
      },
    }),
    test("an unknown field is covered", "key.confirmation", {
      final: sample("final", 32),
      handshake_hash: sample("hash a", 32),
      fields: {
        type: { text: "FINAL" },
        session_id: { bytes: "0102030405060708" },
        timestamp: { int: "1731000000000" },
        x: { bool: true },
      },
    }),
  ]);
  return book.rules;
}

export function epochRules(): Rule[] {
  const book = new RuleBook("7");
  book.accepts(
    1,
    "epoch-keys",
    "key, iv and next secret of each epoch",
    LABELS.map((label) =>
      test(label, "key.epochs", { secret: sample(`traffic ${label}`, 32), count: 4 })
    ),
  );
  book.accepts(
    2,
    "reset-token",
    "stateless reset tokens",
    LABELS.map((label) =>
      test(label, "reset.token", {
        node_seed: sample(`node seed ${label}`, 32),
        session_id: sample(`session ${label}`, 8),
      })
    ),
  );
  return book.rules;
}
