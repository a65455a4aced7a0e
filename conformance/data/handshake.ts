/** Data of the schema of vectors/stt1/handshake.json: whole handshakes of suites 1 and 2. @module */
import { type Case, type Check, Failure } from "../case.ts";
import type { Json, JsonObject } from "../protocol.ts";
import { hex, unhex } from "../twin/bytes.ts";
import {
  epochKeys,
  exportSecret,
  type HandshakeInputs,
  type HandshakeResult,
  NOISE_NAMES,
  runHandshake,
  staticSecret,
} from "../twin/handshake.ts";
import { publicKey } from "../twin/primitives.ts";
import { asTwin } from "./expect.ts";
import { frameRefusal, frames } from "./handshake_frames.ts";
import { initiatorScript, refusal, responderScript, runAsTwin } from "./handshake_refusals.ts";
import { passphrase, retry } from "./handshake_retries.ts";
import { type DataFile, type Entry, type EntryCase, FileCases } from "./section.ts";

export function handshakeCases(file: DataFile): Case[] {
  const cases = new FileCases(file, "6.2");
  cases.ignore("refusals_meaning", "schema");
  cases.list("cases", (entry, index) => {
    const run = once(() => runHandshake(entry as HandshakeInputs));
    cases.nested(`cases/${index}/refusals`, entry.refusals, (one) => refusal(entry, run, one));
    cases.nested(
      `cases/${index}/frame_refusals`,
      entry.frame_refusals,
      (one) => frameRefusal(entry, run, one),
    );
    return whole(entry, run);
  });
  cases.list("retries", retry);
  cases.list("passphrases", (entry) => [passphrase(entry)]);
  return cases.finish();
}

export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const MESSAGES = ["HELLO", "RESPONSE", "AUTH_PROOF", "FINAL"] as const;

function whole(entry: Entry, run: () => HandshakeResult): EntryCase[] {
  const retries = entry.retry === undefined || entry.retry === null
    ? []
    : retry({ ...entry.retry, code: codeOf(entry.retry), shared_seed: entry.shared_seed });
  const title = (text: string): string => `${entry.name}: ${text}`;
  return [
    {
      name: "derived",
      title: title("every intermediate value"),
      run: (check) => derived(check, entry, run()),
    },
    {
      name: "keys",
      section: "5",
      title: title("seeds and identities"),
      run: (check) => keys(check, entry),
    },
    ...MESSAGES.map((name) => ({
      name: `messages/${name}`,
      section: "6",
      title: title(`${name} as fields, value and frame`),
      run: (check: Check) => message(check, entry.messages[name], run().messages[name].frame),
    })),
    {
      name: "initiator",
      title: title("the initiator's side"),
      run: (check) => initiator(check, entry, run()),
    },
    {
      name: "responder",
      title: title("the responder's side"),
      run: (check) => responder(check, entry, run()),
    },
    {
      name: "schedule",
      title: title("key schedule"),
      run: (check) => schedule(check, entry, run()),
    },
    { name: "export", title: title("export"), run: (check) => exported(check, entry, run()) },
    ...(["i2r", "r2i"] as const).map((direction) => ({
      name: `epochs/${direction}`,
      section: "7",
      title: title(`epoch keys ${direction}`),
      run: (check: Check) => epochs(check, entry, run(), direction),
    })),
    ...frames(entry, run),
    ...retries,
  ];
}

function codeOf(entry: Entry): number {
  return Number(entry.fields.code.int);
}

function derived(check: Check, entry: Entry, result: HandshakeResult): void {
  if (entry.noise !== undefined) {
    check.data(entry.noise, NOISE_NAMES[entry.suite] ?? "none", "noise");
  }
  for (const [name, value] of Object.entries<Json>(entry.derived)) {
    check.data(value, result.derived[name] ?? "nothing of that name", `derived.${name}`);
  }
  for (const name of MESSAGES) {
    const { fields, value, frame } = entry.messages[name];
    const twin = result.messages[name];
    check.data(fields, twin.fields, `${name}.fields`);
    check.data(value, twin.value, `${name}.value`);
    check.data(frame, twin.frame, `${name}.frame`);
  }
}

async function keys(check: Check, entry: Entry): Promise<void> {
  for (const side of ["initiator", "responder"]) {
    const party = entry[side];
    const secret = staticSecret(unhex(party.node_seed));
    check.data(party.static_private, hex(secret), `${side}.static_private`);
    check.data(party.node_id, hex(publicKey(secret)), `${side}.node_id`);
    check.data(party.nonce, hex(publicKey(unhex(party.ephemeral_private))), `${side}.nonce`);
    for (const name of ["suites", "versions"]) {
      const list = party[name].map((id: number) => ({ int: String(id) }));
      if (party.payload[name] !== undefined) {
        check.data(party.payload[name], { list }, `${side}.payload.${name}`);
      }
    }
    if (party.payload.capabilities !== undefined) {
      const capabilities = { int: String(party.capabilities) };
      check.data(party.payload.capabilities, capabilities, `${side}.payload.capabilities`);
    }
    await check.gives({ op: "node.key", node_seed: party.node_seed }, { node_id: party.node_id });
    const token = entry.derived[`reset_${side}`];
    if (token === undefined) continue;
    const session = entry.derived.session_id;
    await check.gives({ op: "reset.token", node_seed: party.node_seed, session_id: session }, {
      token,
    });
  }
  const { psk, seed_id_key, seed_id } = entry.derived;
  const request = { op: "seed.keys", seed: entry.shared_seed, nonce: entry.initiator.nonce };
  await check.gives(request, { psk, seed_id_key, seed_id });
  await asTwin(check, request);
}

async function message(check: Check, entry: Entry, twin: string): Promise<void> {
  check.data(entry.frame, twin, "frame");
  const { fields, value, frame } = entry;
  await check.gives({ op: "message.encode", fields }, { hex: value });
  await check.gives({ op: "message.frame", fields }, { frame });
  await check.gives({ op: "message.parse", frame }, { type: fields.type.text, fields });
}

function session(check: Check, actual: Json | undefined, entry: Entry, seenBy: string): void {
  const { derived, suite, parameters } = entry;
  const peer = seenBy === "initiator" ? entry.responder.node_id : entry.initiator.node_id;
  const expected: JsonObject = {
    session_id: derived.session_id,
    suite,
    peer,
    handshake_hash: derived.h_3,
    traffic_i2r: derived.traffic_i2r,
    traffic_r2i: derived.traffic_r2i,
    final: derived.final,
    exporter: derived.exporter,
    ...(parameters === undefined ? {} : { parameters: parameters[`seen_by_${seenBy}`] }),
  };
  const found = (actual ?? {}) as JsonObject;
  for (const [name, value] of Object.entries(expected)) {
    check.equal(found[name] ?? null, value, `session.${name}`);
  }
}

async function initiator(check: Check, entry: Entry, result: HandshakeResult): Promise<void> {
  derived(check, entry, result);
  const { RESPONSE, FINAL, AUTH_PROOF, HELLO } = entry.messages;
  const script = initiatorScript(entry, [
    { receive: RESPONSE.frame, at: entry.times.auth_proof },
    { receive: FINAL.frame, at: entry.times.final },
  ]);
  const answer = await runAsTwin(check, script);
  const results = answer.results as Entry[];
  // With a cookie the first HELLO went without it, and RETRY made this one.
  const hello = entry.cookie === null ? answer.hello : results[0].sent[0];
  check.equal(hello ?? null, HELLO.frame, "HELLO");
  check.equal(results.at(-2).sent, [AUTH_PROOF.frame], "AUTH_PROOF");
  check.equal(answer.done ?? null, true, "done");
  session(check, answer.session, entry, "initiator");
}

async function responder(check: Check, entry: Entry, result: HandshakeResult): Promise<void> {
  derived(check, entry, result);
  const { RESPONSE, FINAL, AUTH_PROOF, HELLO } = entry.messages;
  const script = responderScript(entry, [
    { receive: HELLO.frame, at: entry.times.response },
    { receive: AUTH_PROOF.frame, at: entry.times.auth_proof },
    { accept: true, at: entry.times.final },
  ]);
  const answer = await runAsTwin(check, script);
  const results = answer.results as Entry[];
  check.equal(results[0].sent, [RESPONSE.frame], "RESPONSE");
  check.equal(results[2].sent, [FINAL.frame], "FINAL");
  session(check, answer.session, entry, "responder");
}

async function schedule(check: Check, entry: Entry, result: HandshakeResult): Promise<void> {
  derived(check, entry, result);
  const { out1, out2, out3, h_3, traffic_i2r, traffic_r2i, final, exporter } = entry.derived;
  await check.gives(
    { op: "key.schedule", outputs: [out1, out2, out3], handshake_hash: h_3 },
    { traffic_i2r, traffic_r2i, final, exporter },
  );
  await check.gives(
    { op: "key.confirmation", final, handshake_hash: h_3, fields: entry.messages.FINAL.fields },
    { confirmation: entry.derived.confirmation },
  );
}

async function exported(check: Check, entry: Entry, result: HandshakeResult): Promise<void> {
  const { label, context, length, output } = entry.export;
  const twin = exportSecret(result.secrets.exporter, label, unhex(context), length);
  check.data(output, hex(twin), "export.output");
  const { out1, out2, out3, h_3 } = entry.derived;
  await check.gives(
    { op: "key.export", outputs: [out1, out2, out3], handshake_hash: h_3, label, context, length },
    { output },
  );
}

async function epochs(
  check: Check,
  entry: Entry,
  result: HandshakeResult,
  direction: "i2r" | "r2i",
): Promise<void> {
  const list: Entry[] = entry.epochs[direction];
  if (list.length === 0) throw new Failure("data mismatch: no epochs");
  for (const one of list) {
    const twin = epochKeys(result.secrets[`traffic_${direction}`], one.epoch);
    for (const name of ["secret", "key", "iv"] as const) {
      check.data(one[name], hex(twin[name]), `${name} of epoch ${one.epoch}`);
    }
  }
  const count = Math.max(...list.map(({ epoch }) => epoch)) + 1;
  const secret = entry.derived[`traffic_${direction}`];
  const answer = await check.ok({ op: "key.epochs", secret, count });
  for (const one of list) {
    check.equal((answer.epochs as Entry)[one.epoch] ?? null, one, `epoch ${one.epoch}`);
  }
}
