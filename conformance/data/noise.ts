/** Data of the schema of vectors/noise/noise.json: the public Noise vectors. @module */
import { type Case, type Check, Failure } from "../case.ts";
import type { JsonObject } from "../protocol.ts";
import { twinCall } from "../twin/ops.ts";
import { type DataFile, type Entry, FileCases } from "./section.ts";

export function noiseCases(file: DataFile): Case[] {
  const cases = new FileCases(file, "6.2");
  cases.list("vectors", (entry, index) => [
    { title: entry.protocol_name, run: (check) => whole(check, entry) },
    {
      name: "tampered",
      title: `${entry.protocol_name}: a flipped bit is refused`,
      run: (check) => tampered(check, entry, index),
    },
  ]);
  return cases.finish();
}

const INPUTS = ["prologue", "static", "ephemeral", "remote_static", "psks"];

function requestOf(entry: Entry): { op: string; [key: string]: Entry } {
  const request: Record<string, Entry> = { protocol_name: entry.protocol_name };
  for (const side of ["init", "resp"]) {
    for (const input of INPUTS) {
      const value = entry[`${side}_${input}`];
      if (value !== undefined) request[`${side}_${input}`] = value;
    }
  }
  request.messages = entry.messages.map(({ payload }: Entry) => ({ payload }));
  return { op: "noise.run", ...request };
}

function expected(entry: Entry): JsonObject {
  const messages = entry.messages.map(({ ciphertext }: Entry) => ({ ciphertext }));
  return entry.handshake_hash === undefined
    ? { messages }
    : { messages, handshake_hash: entry.handshake_hash };
}

async function whole(check: Check, entry: Entry): Promise<void> {
  const request = requestOf(entry);
  const twin = twinCall(request);
  if ("error" in twin) throw new Failure(`data mismatch: the twin refuses with ${twin.error}`);
  for (const [i, message] of entry.messages.entries()) {
    const made = (twin.ok.messages as Entry)[i];
    check.data(message.ciphertext, made.ciphertext, `ciphertext of message ${i}`);
  }
  if (entry.handshake_hash !== undefined) {
    check.data(entry.handshake_hash, twin.ok.handshake_hash as string, "handshake_hash");
  }
  await check.gives(request, expected(entry));
}

/** The last bit of each message in turn that carries a tag: it must not be read. */
async function tampered(check: Check, entry: Entry, index: number): Promise<void> {
  const sealed = entry.messages.map((message: Entry, i: number) => [message, i] as const)
    .filter(([message, i]: [Entry, number]) =>
      i > 0 && message.ciphertext.length > message.payload.length + 32
    );
  const chosen = sealed[index % sealed.length];
  if (chosen === undefined) return;
  const [message, place] = chosen;
  const request = requestOf(entry);
  const last = Number.parseInt(message.ciphertext.slice(-2), 16) ^ 1;
  request.messages[place].deliver = message.ciphertext.slice(0, -2) +
    last.toString(16).padStart(2, "0");
  await check.refuses(request, "CRYPTO");
}
