/**
 * `stt decode`.
 *
 * @module
 */
import { open } from "node:fs/promises";
import { fromHex } from "../../codec/hex.ts";
import { fileError } from "../../endpoint/files/file_error.ts";
import { nodeProvider } from "../../crypto/node_provider.ts";
import { SttError } from "../../errors.ts";
import { isCapture } from "../capture/capture_file.ts";
import { CaptureReader } from "../capture/capture_reader.ts";
import { frameNote } from "../capture/captured_frame.ts";
import { KeyRing } from "../capture/key_ring.ts";
import type { Command, CommandContext } from "../command.ts";
import { dissect, type DissectAs } from "../dissect/dissect.ts";
import { frameTypeName } from "../dissect/frames.ts";
import { hasFault, renderNote } from "../dissect/note.ts";
import { EXIT_DECODE, EXIT_OK, UsageError } from "../exit_codes.ts";
import { GENERAL_OPTIONS } from "../options.ts";

const MAX_INPUT_BYTES = 67_108_864;
const FORMS: readonly DissectAs[] = ["auto", "frames", "value", "records"];

export const decode: Command = {
  name: "decode",
  usage: "decode HEX|FILE|-",
  summary: "say in words what frames, values, messages and captures hold",
  details: [
    "An argument that is hexadecimal is taken as such; ./abcd is always a file.",
    "Files and standard input (-) hold bytes, hexadecimal text, or a capture (pcap,",
    "pcapng) of sessions over UDP, TCP or WebSocket, whose frames --keylog opens.",
  ],
  positionals: ["file"],
  examples: [
    {
      line: "decode 310000000568656c6c6f",
      what: "a value in hexadecimal",
    },
    {
      line: "decode captured.bin --as frames",
      what: "a file of frames",
    },
    {
      line: "decode session.pcap --keylog keys.txt",
      what: "a capture, opened with logged keys",
    },
  ],
  options: [
    {
      name: "as",
      value: "FORM",
      choices: FORMS,
      help: "frames, value, records (the plaintext of CONTROL) or auto (default)",
    },
    { name: "keylog", value: "FILE", help: "keys that --keylog of the other commands wrote" },
    ...GENERAL_OPTIONS,
  ],
  async run(args, context) {
    const [input, ...others] = args.positionals;
    if (input === undefined || others.length > 0) {
      throw new UsageError("decode needs hexadecimal text or a file", "decode");
    }
    const text = args.text("as") ?? "auto";
    const form = FORMS.find((name) => name === text);
    if (form === undefined) throw new UsageError(`--as takes one of ${FORMS.join(", ")}`, "decode");
    const bytes = await inputBytes(input, context);
    const keys = args.text("keylog");
    if (isCapture(bytes)) return decodeCapture(bytes, await keyRing(keys), context);
    if (keys !== undefined) {
      throw new UsageError("--keylog opens captures (pcap, pcapng)", "decode");
    }
    const notes = dissect(bytes, form);
    for (const tree of notes) {
      context.report.result("decoded", { ...tree }, renderNote(tree).join("\n"));
    }
    return notes.some(hasFault) ? EXIT_DECODE : EXIT_OK;
  },
};

async function keyRing(path: string | undefined): Promise<KeyRing | undefined> {
  if (path === undefined) return undefined;
  return new KeyRing(nodeProvider(), new TextDecoder().decode(await fileBytes(path)));
}

function decodeCapture(
  bytes: Uint8Array,
  keys: KeyRing | undefined,
  { report }: CommandContext,
): number {
  const { faults, ...counts } = new CaptureReader(keys, (frame) => {
    const typeName = frameTypeName(frame.type);
    report.result("frame", { ...frame, typeName }, renderNote(frameNote(frame)).join("\n"));
  }).read(bytes);
  for (const message of faults) report.warning("warning", { message }, message);
  const { packets, frames, opened } = counts;
  report.event(
    "capture",
    { ...counts, keys: keys?.size ?? 0 },
    `${packets} packets, ${frames} frames, ${opened} of them readable` +
      (keys === undefined ? "" : ` with ${keys.size} keys`),
  );
  return faults.length > 0 ? EXIT_DECODE : EXIT_OK;
}

async function inputBytes(input: string, { io }: CommandContext): Promise<Uint8Array> {
  if (input === "-") return fromText(await gather(io.stdin.bytes()));
  const compact = input.replace(/[\s:]/g, "");
  if (isHex(compact)) return fromHex(compact);
  return fromText(await fileBytes(input));
}

function isHex(text: string): boolean {
  return text.length > 0 && text.length % 2 === 0 && /^[0-9a-fA-F]+$/.test(text);
}

/** Bytes that are hexadecimal text stand for the bytes that it spells. */
function fromText(bytes: Uint8Array): Uint8Array {
  if (!bytes.every((byte) => byte < 0x80)) return bytes;
  const compact = new TextDecoder().decode(bytes).replace(/[\s:]/g, "");
  return isHex(compact) ? fromHex(compact) : bytes;
}

async function fileBytes(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      if (size > MAX_INPUT_BYTES) throw tooLarge();
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw fileError("read", path, cause);
  }
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length > MAX_INPUT_BYTES) throw tooLarge();
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function tooLarge(): SttError {
  return new SttError("FILE_TOO_LARGE", `cannot decode input: more than ${MAX_INPUT_BYTES} bytes`, {
    limit: MAX_INPUT_BYTES,
  });
}
