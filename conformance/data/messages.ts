/** Data of the schema of vectors/reference/handshake_messages.json: the codec of the four messages. @module */
import type { Case, Check } from "../case.ts";
import type { Json } from "../protocol.ts";
import { hex, unhex } from "../twin/bytes.ts";
import { sessionIdOf } from "../twin/handshake.ts";
import { encodeFields, toFields } from "../twin/messages.ts";
import { decodeValue } from "../twin/values.ts";
import { attempt } from "./expect.ts";
import { type DataFile, type Entry, type EntryCase, FileCases } from "./section.ts";

const MESSAGES = ["HELLO", "RESPONSE", "AUTH_PROOF", "FINAL"] as const;

export function messageCases(file: DataFile): Case[] {
  const cases = new FileCases(file, "6");
  cases.list("cases", (entry) => [
    { name: "session_id", run: (check) => sessionId(check, entry) },
    ...MESSAGES.filter((name) => entry[name] !== undefined).flatMap((name) => message(entry, name)),
  ]);
  return cases.finish();
}

function sessionId(check: Check, entry: Entry): void {
  const id = sessionIdOf(unhex(entry.initiator_nonce), unhex(entry.responder_nonce));
  check.data(entry.session_id, hex(id), "session_id");
  const field = (name: string, key: string): Json => entry[name]?.fields[key]?.bytes ?? null;
  const expected: [string, string, Json][] = [
    ["HELLO", "nonce", entry.initiator_nonce],
    ["RESPONSE", "nonce", entry.responder_nonce],
    ["AUTH_PROOF", "session_id", entry.session_id],
    ["FINAL", "session_id", entry.session_id],
  ];
  for (const [name, key, value] of expected) {
    if (entry[name] !== undefined) check.data(field(name, key), value, `${name}.${key}`);
  }
}

function message(entry: Entry, name: string): EntryCase[] {
  const { fields, hex: text } = entry[name];
  const claim = (check: Check): void => {
    check.data(fields.type ?? null, { text: name }, "type");
    check.data(text, hex(encodeFields(fields)), "hex");
    const decoded = attempt(() => toFields(decodeValue(unhex(text), { canonical: true })));
    check.data(fields, "value" in decoded ? decoded.value : decoded.refused, "fields");
  };
  return [
    {
      name: `${name}/encode`,
      run: async (check) => {
        claim(check);
        await check.gives({ op: "message.encode", fields }, { hex: text });
      },
    },
    {
      name: `${name}/decode`,
      run: async (check) => {
        claim(check);
        await check.gives({ op: "message.decode", hex: text }, { fields });
      },
    },
  ];
}
