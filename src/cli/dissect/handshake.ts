/**
 * Handshake messages (SPEC 6) in words.
 *
 * @module
 */
import { decodeValue, type SttValue } from "../../codec/values.ts";
import { decodeMessage } from "../../handshake/messages.ts";
import { fault, type Note, note } from "./note.ts";
import { valueNote } from "./values.ts";

const MESSAGES: Readonly<Record<string, string>> = {
  HELLO: "the initiator asks for a session",
  RESPONSE: "the responder proves the seed and its identity",
  AUTH_PROOF: "the initiator proves its identity",
  FINAL: "the responder confirms the session",
  RETRY: "the responder asks for another HELLO",
};

const FIELDS: Readonly<Record<string, string>> = {
  capabilities: "bits: 1 streams, 2 rotation, 4 resumption, 8 flow control",
  challenge: "rest of Noise message 2: encrypted identity and parameters",
  challenge_metadata: "unused by suites 1 and 2",
  commitment: "proof of the seed: the tag of Noise message 1",
  confirmation: "proof that the handshake is complete",
  cookie: "proof that the initiator's address is its own",
  mac: "proof that the sender has the seed",
  node_id: "random, fresh for each handshake; not the identity",
  nonce: "ephemeral X25519 public key",
  proof: "Noise message 3: encrypted identity and parameters",
  proof_metadata: "unused by suites 1 and 2",
  seed_id: "which seed, readable only by who has it",
  session_id: "routes the session's frames; proves nothing",
  suite: "suite in use",
  suites: "suites by preference; the first one is this HELLO's",
  ticket: "masked id of a ticket: the dial resumes an earlier session",
  timestamp: "Unix milliseconds",
  version: "protocol version",
  versions: "protocol versions",
};

const SUITES: Readonly<Record<string, string>> = {
  "1": "x25519-chacha20poly1305-sha256",
  "2": "x25519-aes256gcm-sha256",
  "127": "stc-0.4 (authenticates nobody)",
};

const RETRY_CODES: Readonly<Record<string, string>> = {
  "1": "send the cookie",
  "2": "version not spoken",
  "3": "suite not spoken",
  "4": "busy",
};

/** Whether a value looks like a handshake message. */
export function isHandshakeValue(value: SttValue): boolean {
  return value instanceof Map && Object.hasOwn(MESSAGES, String(value.get("type")));
}

/** The payload of a HANDSHAKE frame; `frame` is the whole of it. */
export function dissectHandshake(frame: Uint8Array, payload: Uint8Array): readonly Note[] {
  let value: SttValue;
  try {
    value = decodeValue(payload);
  } catch (error) {
    return [fault("message", error)];
  }
  const notes = [messageNote(value)];
  const message = decodeMessage(frame);
  if (message.type === "refused") {
    notes.push(fault("refused by STT/1", `${message.reason}: ${message.error.message}`));
  }
  return notes;
}

/** A message with its fields explained. */
export function messageNote(value: SttValue): Note {
  if (!(value instanceof Map)) return { ...valueNote("message", value), fault: true };
  const type = value.get("type");
  const name = typeof type === "string" ? type : "unknown";
  const label = Object.hasOwn(MESSAGES, name) ? name : "message of unknown type";
  const children = [...value].filter(([key]) => key !== "type").map(([key, item]) =>
    fieldNote(key, item, name)
  );
  return { label, text: meaningOf(MESSAGES, name) ?? "", children };
}

/** What a table says of a value; its keys are its own, whatever a peer has sent. */
function meaningOf(table: Readonly<Record<string, string>>, value: SttValue): string | undefined {
  const key = typeof value === "number" || typeof value === "string" ? String(value) : "";
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function fieldNote(key: string, item: SttValue, message: string): Note {
  const tree = valueNote(key, item);
  const extra = [explain(key, item, message), meaningOf(FIELDS, key)]
    .filter((text) => text !== undefined);
  return extra.length === 0 ? tree : { ...tree, text: `${tree.text}  (${extra.join("; ")})` };
}

function explain(key: string, item: SttValue, message: string): string | undefined {
  if (key === "timestamp" && typeof item === "number") {
    const date = new Date(item);
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
  }
  if (key === "suite") return meaningOf(SUITES, item);
  if (key === "suites" && Array.isArray(item)) {
    const names = item.slice(0, 8).map((suite: SttValue) =>
      meaningOf(SUITES, suite) ?? (typeof suite === "number" ? `unknown ${suite}` : "no number")
    );
    return names.join(", ");
  }
  if (key === "code" && message === "RETRY") return meaningOf(RETRY_CODES, item);
  return undefined;
}

/** For `note` users that have a message without its frame. */
export function bareMessage(value: SttValue): Note {
  const tree = messageNote(value);
  return { ...tree, children: [...(tree.children ?? []), note("frame", "none: a bare value")] };
}
