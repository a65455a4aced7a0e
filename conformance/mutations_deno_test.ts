import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Case } from "./case.ts";
import { builtInCases } from "./cases/mod.ts";
import { loadData } from "./data/files.ts";
import { PeerProcess } from "./peer_process.ts";
import { runCases } from "./runner.ts";

/** One rule broken: a piece of `src/`, and what stands there instead. */
interface Mutation {
  readonly rule: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Section whose cases run first; all others follow until one fails. */
  readonly section: string;
}

function mutation(
  section: string,
  rule: string,
  file: string,
  find: string,
  replace: string,
): Mutation {
  return { section, rule, file, find, replace };
}

const MUTATIONS: readonly Mutation[] = [
  mutation(
    "1",
    "non-minimal varints are accepted",
    "codec/varint.ts",
    "if (byte === 0 && index > 0) {",
    "if (byte === 0 && index > 10) {",
  ),
  mutation(
    "1",
    "values over 64 bits are accepted",
    "codec/varint.ts",
    "if (high > 0x7fff) break;",
    "high &= 0x7fff;",
  ),
  mutation(
    "2",
    "nesting has no limit",
    "codec/value_decoder.ts",
    "if (depth > this.#maxDepth) {",
    "if (depth > 1000) {",
  ),
  mutation(
    "2",
    "duplicate keys are accepted",
    "codec/value_decoder.ts",
    "if (dict.has(key)) throw",
    "if (dict.has(key) && dict.size > 99) throw",
  ),
  mutation(
    "2",
    "keys are sorted by UTF-16 unit",
    "codec/value_encoder.ts",
    "if (!sorted) keys.sort(compareCodePoints);",
    "keys.sort();",
  ),
  mutation(
    "2",
    "canonical decoding takes wide integers",
    "codec/value_decoder.ts",
    "if (wide) throw",
    "if (wide && size > 8) throw",
  ),
  mutation(
    "3",
    "metadata may pass the body",
    "codec/frame_layout.ts",
    "if (length > room) {",
    "if (length > room + 1) {",
  ),
  mutation(
    "3",
    "bodies over 2 MiB are accepted",
    "constants.ts",
    "FRAME_MAX_BODY = 2_097_152",
    "FRAME_MAX_BODY = 4_194_304",
  ),
  mutation(
    "5",
    "the salt of HKDF is another",
    "crypto/hkdf.ts",
    'UTF8.encode("STT/1")',
    'UTF8.encode("STT/2")',
  ),
  mutation(
    "6.2",
    "the key schedule forgets a label",
    "crypto/key_schedule.ts",
    'expand(out2, "stt1 r2i")',
    'expand(out2, "stt1 i2r")',
  ),
  mutation(
    "6.2",
    "FINAL is not verified",
    "handshake/initiator.ts",
    'if (!provider.equal(final.confirmation, expected)) return this.#drop("confirmation");',
    "",
  ),
  mutation(
    "6",
    "HANDSHAKE frames may have flags",
    "handshake/handshake_frame.ts",
    "frame.flags === 0 &&",
    "",
  ),
  mutation(
    "6.2",
    "ack_every has no upper limit",
    "handshake/parameters.ts",
    "DEFAULT_ACK_EVERY, 1, 64)",
    "DEFAULT_ACK_EVERY, 1, 65)",
  ),
  mutation(
    "6.4",
    "any seed_id will do",
    "handshake/acceptor.ts",
    "provider.equal(seed.seedId(hello.nonce), hello.seedId)",
    "true",
  ),
  mutation(
    "6.3",
    "a nonce may come again with another content",
    "handshake/acceptor.ts",
    "if (known !== undefined && sameBytes(known.hello, identity)) {",
    "if (known !== undefined) {",
  ),
  mutation(
    "6.4",
    "stale HELLOs need no cookie",
    "handshake/acceptor.ts",
    "const FRESHNESS_MS = 120_000;",
    "const FRESHNESS_MS = 1e15;",
  ),
  mutation(
    "6.4",
    "a cookie is good for every address",
    "handshake/cookie.ts",
    "hostBytes(address.host)",
    "new Uint8Array(4)",
  ),
  mutation(
    "7",
    "the replay window is twice as wide",
    "constants.ts",
    "REPLAY_WINDOW = 8192",
    "REPLAY_WINDOW = 16384",
  ),
  mutation(
    "7",
    "gaps on reliable transports are accepted",
    "session/protection.ts",
    'if (sequence !== this.#expected) return this.#fail("gap");',
    "",
  ),
  mutation(
    "7",
    "the header is not authenticated",
    "session/epoch_keys.ts",
    "this.#key.open(this.#nonceOf(sequence), aad, sealed)",
    "this.#key.open(this.#nonceOf(sequence), aad.subarray(0, 4), sealed)",
  ),
  mutation(
    "8",
    "stream kind 3 is accepted",
    "codec/stream_payload.ts",
    "return kind === 0 ||",
    "return kind === 0 || kind === 3 ||",
  ),
  mutation(
    "9",
    "reasons may have 257 bytes",
    "constants.ts",
    "REASON_MAX_BYTES = 256",
    "REASON_MAX_BYTES = 257",
  ),
  mutation(
    "9",
    "gaps of acknowledgements are off by one",
    "codec/record_decoder.ts",
    'reader.varint() + 2, "gap"',
    'reader.varint() + 1, "gap"',
  ),
  mutation(
    "6.2",
    "an all-zero secret is taken",
    "crypto/node_provider.ts",
    "// OpenSSL reports the all-zero secret of a low-order point as a failed derivation.\n      return undefined;",
    "return new Uint8Array(32);",
  ),
  mutation(
    "6.2",
    "the lists of suites are not compared",
    "handshake/suites.ts",
    "if (best !== inUse.suite) {",
    "if (best === undefined) {",
  ),
  mutation(
    "6.3",
    "a HELLO may come again when its handshake is over",
    "handshake/acceptor.ts",
    "this.#nonces.add(hello.nonce, nowMs);",
    "",
  ),
  mutation(
    "6.3",
    "two handshakes may have one session id",
    "handshake/responder_handshake.ts",
    "&& !taken(sessionId)",
    "",
  ),
  mutation(
    "7",
    "both directions have the same keys",
    "crypto/key_schedule.ts",
    'expand(out2, "stt1 r2i")',
    'expand(out1, "stt1 i2r")',
  ),
  mutation(
    "7",
    "a sequence may come twice",
    "session/replay_window.ts",
    '=== 1 ? "seen" : "new"',
    '=== 2 ? "seen" : "new"',
  ),
  mutation(
    "8",
    "peers may name streams that only this side opens",
    "streams/stream_table.ts",
    "if (id === 0 || (local && index >= this.opened)) {",
    "if (id === 0) {",
  ),
  mutation(
    "8",
    "the number of streams has no limit",
    "streams/peer_streams.ts",
    "if (index >= this.#advertised) {",
    "if (index >= this.#advertised + 2 ** 31) {",
  ),
  mutation(
    "8",
    "a stream's credit may be passed by a byte",
    "streams/recv_stream.ts",
    "if (end > this.credit.limit)",
    "if (end > this.credit.limit + 1)",
  ),
  mutation(
    "8",
    "the session's credit may be passed by a byte",
    "streams/recv_stream.ts",
    "if (total > shared.credit.limit)",
    "if (total > shared.credit.limit + 1)",
  ),
  mutation(
    "8",
    "an end may lie below data",
    "streams/recv_stream.ts",
    "(finalSize !== undefined && finalSize < this.#highest)",
    "false",
  ),
  mutation(
    "8",
    "a stream may end inside of a message",
    "streams/recv_stream.ts",
    "if (ended && this.#scanner?.inside) {",
    "if (ended && this.#scanner?.inside && this.#id < 0) {",
  ),
  mutation(
    "9",
    "KEY_ROTATION may name any epoch",
    "session/protection.ts",
    "if (epoch === this.lastEpoch) return undefined;",
    "if (epoch >= this.lastEpoch) return undefined;",
  ),
  mutation(
    "10",
    "sequences that were never sent may be acknowledged",
    "connection/recovery/loss_recovery.ts",
    "if (record.largest >= this.#end) {",
    "if (record.largest >= this.#end && record.largest < 0) {",
  ),
  mutation(
    "10",
    "ACK is taken on reliable transports",
    "connection/frame_receiver.ts",
    'throw new SttError("PROTOCOL", "cannot take ACK: the transport is reliable");',
    "return;",
  ),
  mutation(
    "15.2",
    "a ticket that was used meanwhile resumes",
    "handshake/responder_handshake.ts",
    "return fresh ? undefined : ticketError(",
    "return fresh || true ? undefined : ticketError(",
  ),
  mutation(
    "15.2",
    "a ticket resumes as often as one likes",
    "session/ticket_table.ts",
    "this.#remove(toHex(id));\n    return true;",
    "return true;",
  ),
  mutation(
    "15.2",
    "anybody may use a ticket",
    "handshake/responder_handshake.ts",
    "if (!provider.equal(nodeId, this.#ticket.nodeId)) {",
    "if (false) {",
  ),
  mutation(
    "15.2",
    "a ticket counts under every seed",
    "handshake/responder_handshake.ts",
    "if (found === undefined || !config.provider.equal(named, found.seed)) return undefined;",
    "if (found === undefined) return undefined;",
  ),
  mutation(
    "15.2",
    "a dial that needs its ticket goes on without it",
    "handshake/resumption.ts",
    "if (resumed || ticket.required === false) return undefined;",
    "if (resumed || ticket.required !== undefined || true) return undefined;",
  ),
  mutation(
    "15.2",
    "the secret of a ticket takes no part",
    "crypto/tickets.ts",
    'return hkdfExpand(provider, secret, labelled("stt1 resumption", psk), KEY_BYTES);',
    "return psk.slice();",
  ),
  mutation(
    "15.4",
    "a sender goes on where the confirmation is",
    "streams/continuity/continued_send.ts",
    "this.#next = received;",
    "this.#next = confirmed;",
  ),
];

const SOURCE = new URL("../src/", import.meta.url);
const ADAPTER = fileURLToPath(new URL("adapter.ts", import.meta.url));

/** A command that runs the adapter with one module of `src/` replaced by a copy in which a piece is another. */
function commandWith(one: Mutation | undefined, directory: string): string {
  const imports: Record<string, string> = {};
  if (one !== undefined) {
    const original = new URL(one.file, SOURCE);
    const text = readFileSync(original, "utf8");
    // A mutation that no longer fits the code would test nothing.
    assert.equal(
      text.split(one.find).length,
      2,
      `${one.file} does not hold this once: ${one.find}`,
    );
    const copy = join(directory, "mutant.ts");
    // The copy stands elsewhere: what it imports is where it was.
    const absolute = text.replace(one.find, () => one.replace)
      .replaceAll(/(?<=\b(?:from|import) ")\.[^"]+/g, (path) => new URL(path, original).href);
    writeFileSync(copy, absolute);
    imports[original.href] = pathToFileURL(copy).href;
  }
  const map = join(directory, "import_map.json");
  writeFileSync(map, JSON.stringify({ imports }));
  return `"${process.execPath}" run -A --no-check --no-config --import-map "${map}" "${ADAPTER}"`;
}

const ALL: readonly Case[] = [
  ...builtInCases(),
  ...loadData(fileURLToPath(new URL("../vectors", import.meta.url)), false).cases,
]
  .filter(({ slow }) => slow !== true);

async function firstFailure(
  one: Mutation | undefined,
  cases: readonly Case[],
): Promise<string | undefined> {
  const directory = mkdtempSync(join(tmpdir(), "stt-mutation-"));
  const peer = new PeerProcess(commandWith(one, directory));
  try {
    const results = await runCases(cases, peer, { bail: true });
    return results.find(({ verdict }) => verdict === "fail")?.detail;
  } finally {
    await peer.close();
    rmSync(directory, { recursive: true });
  }
}

test("without a mutation all pass, so that what fails below is the mutation", async () => {
  const some = ALL.filter((_, index) => index % 20 === 0);
  assert.equal(await firstFailure(undefined, some), undefined);
});

/** `deno task test` has the first of each section: each starts a program anew. `deno task ok` has all (`-- --all`). */
const CHOSEN = MUTATIONS.filter((one, index) =>
  process.argv.includes("--all") ||
  MUTATIONS.findIndex(({ section }) => section === one.section) === index
);

for (const one of CHOSEN) {
  test(`caught: ${one.rule}`, async () => {
    const first = ALL.filter(({ section }) => section === one.section);
    const rest = ALL.filter(({ section }) => section !== one.section);
    const detail = await firstFailure(one, [...first, ...rest]);
    assert.notEqual(detail, undefined, "no case fails");
    // The program must run: a mutation that does not even compile would be caught by any suite.
    assert.doesNotMatch(detail as string, /crashed|does not start|no answer/);
  });
}
