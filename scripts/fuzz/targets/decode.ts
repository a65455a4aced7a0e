/** What `stt decode` says about any bytes. The first byte of an input chooses the form. @module */
import { dissect, type DissectAs } from "../../../src/cli/dissect/dissect.ts";
import { hasFault, renderNote } from "../../../src/cli/dissect/note.ts";
import { decodeRecords } from "../../../src/codec/records.ts";
import { decodeValue } from "../../../src/codec/values.ts";
import { SttError } from "../../../src/errors.ts";
import { mutateWith, spliced } from "../mutate_bytes.ts";
import { mutateRecords } from "../mutate_records.ts";
import { mutateEncodedValue, mutateFrame } from "../mutate_values.ts";
import { oracle, type Target } from "../target.ts";
import { vectorBytes } from "../vector_inputs.ts";

const FORMS: readonly DissectAs[] = ["auto", "frames", "value", "records"];
/** Lines for a byte, and for a whole input: unfolding is bounded. */
const LINES_PER_BYTE = 6;
const LINES = 40;
/** Longest line: 48 bytes in hex, or 160 characters that are escaped one by one, and the words around them. */
const LINE_CHARACTERS = 4000;
// deno-lint-ignore no-control-regex -- a terminal must not be told anything by them.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

function run(input: Uint8Array): string {
  const form = FORMS[(input[0] ?? 0) & 3]!;
  const bytes = input.subarray(1);
  const notes = dissect(bytes, form);
  oracle(notes.length > 0, "nothing is said");
  const lines = notes.flatMap((tree) => renderNote(tree));
  oracle(lines.length <= LINES + LINES_PER_BYTE * bytes.length, () => `${lines.length} lines`);
  for (const line of lines) {
    oracle(line.length <= LINE_CHARACTERS, () => `a line of ${line.length} characters`);
    oracle(!CONTROL.test(line), () => `control characters: ${JSON.stringify(line)}`);
  }
  JSON.stringify(notes);
  const fault = notes.some(hasFault);
  if (form === "value") oracle(fault === !takes(() => decodeValue(bytes)), "a fault or none");
  if (form === "records" && bytes.length > 0) {
    oracle(fault === (decodeRecords(bytes).error !== undefined), "a fault or none");
  }
  const first = notes[0]?.label ?? "";
  return `${form}, ${fault ? "fault" : "ok"}, ${first.replace(/[^A-Za-z ]/g, "")}`;
}

function takes(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (error instanceof SttError) return false;
    throw error;
  }
}

function seeds(): Uint8Array[] {
  const files: [number, string, string, string][] = [
    [0, "handshake_messages", "message.parse", "frame"],
    [1, "frame", "frame.decode", "hex"],
    [2, "values", "value.decode", "hex"],
    [3, "records", "records.decode", "hex"],
    [0, "session", "frame.open", "frame"],
  ];
  return files.flatMap(([form, name, op, field]) =>
    vectorBytes(name, op, field, 1000).map((bytes) => spliced(bytes, 0, 0, Uint8Array.of(form)))
  );
}

export const decode: Target = {
  name: "decode",
  exact: true,
  maxBytes: 2000,
  seeds,
  mutate(input, other, prng) {
    if (prng.chance(0.05)) return spliced(input, 0, 1, Uint8Array.of(prng.integer(0, 3)));
    const head = input.slice(0, 1);
    const bytes = input.slice(1);
    const changed = prng.chance(0.4)
      ? mutateWith(bytes, other.slice(1), prng)
      : head[0] === 3
      ? mutateRecords(bytes, prng)
      : head[0] === 2
      ? mutateEncodedValue(bytes, prng)
      : mutateFrame(bytes, prng);
    return spliced(changed, 0, 0, head);
  },
  run,
};
