/**
 * What lies on disks: seed files, and files on their way under a hidden name. The first byte of an input says which; a
 * part file's input is a list: its name, what is there already, and the chunks that are written.
 *
 * @module
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBase64Url } from "../../../src/codec/base64url.ts";
import { toHex } from "../../../src/codec/hex.ts";
import { checkFileName } from "../../../src/endpoint/files/file_name.ts";
import { PartFile } from "../../../src/endpoint/files/part_file.ts";
import { readSeedFile } from "../../../src/endpoint/seed_file.ts";
import { SttError } from "../../../src/errors.ts";
import { mutateWith, spliced } from "../mutate_bytes.ts";
import { joinParts, mutateParts, splitParts } from "../parts.ts";
import { oracle, type Target } from "../target.ts";

const PART = 1;
const OVERWRITE = 2;
const DISCARD = 4;
const MAX_SEED_FILE_BYTES = 4096;

async function run(input: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "stt-fuzz-"));
  try {
    const how = input[0] ?? 0;
    const bytes = input.subarray(1);
    return (how & PART) === 0 ? await seedFile(folder, bytes) : await partFile(folder, how, bytes);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function seedFile(folder: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, "seed");
  await writeFile(path, bytes);
  const text = new TextDecoder().decode(bytes).trim();
  try {
    const { seed } = await readSeedFile(path);
    oracle(
      seed.length >= 32 && bytes.length <= MAX_SEED_FILE_BYTES,
      `${seed.length} bytes of seed`,
    );
    const hex = toHex(seed) === text.toLowerCase();
    oracle(hex || toBase64Url(seed) === text, "the seed is not what the file says");
    return hex ? "hex" : "base64url";
  } catch (error) {
    if (!(error instanceof SttError) || error.code !== "SEED") throw error;
    // Half a seed is a secret as well.
    oracle(text.length < 12 || !error.message.includes(text.slice(0, 12)), "the content is shown");
    return error.message.replace(/^.*": /s, "").replace(/\d+/g, "…");
  }
}

async function partFile(folder: string, how: number, bytes: Uint8Array): Promise<string> {
  const [wish = new Uint8Array(0), before = new Uint8Array(0), ...chunks] = splitParts(bytes);
  const name = new TextDecoder().decode(wish);
  try {
    checkFileName(name, false);
  } catch (error) {
    if (error instanceof SttError && error.code === "FILE_NAME") return "refused name";
    throw error;
  }
  const exists = before.length > 0;
  if (exists) await writeFile(join(folder, name), before);
  const overwrite = (how & OVERWRITE) !== 0;
  let part: PartFile;
  try {
    part = await PartFile.create(folder, name, overwrite);
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
    oracle(error.code === "FILE_EXISTS" && exists && !overwrite, () => error.stack ?? "");
    return "exists";
  }
  for (const chunk of chunks) await part.write(chunk);
  const kept = (how & DISCARD) === 0;
  if (kept) await part.commit();
  else await part.discard();
  const names = await readdir(folder);
  const content = kept ? chunks : exists ? [before] : undefined;
  oracle(names.length === (content === undefined ? 0 : 1), () => `left: ${names.join()}`);
  if (content === undefined) return "discarded";
  const expected = content.map((chunk) => toHex(chunk)).join("");
  oracle(toHex(new Uint8Array(await readFile(join(folder, name)))) === expected, "other bytes");
  return `${kept ? "kept" : "discarded"}, ${exists}`;
}

function seeds(): Uint8Array[] {
  const text = (content: string): Uint8Array =>
    spliced(new TextEncoder().encode(content), 0, 0, Uint8Array.of(0));
  const part = (how: number, ...parts: (string | Uint8Array)[]): Uint8Array => {
    const list = parts.map((one) => typeof one === "string" ? new TextEncoder().encode(one) : one);
    return spliced(joinParts(list), 0, 0, Uint8Array.of(PART | how));
  };
  return [
    text(`${"0f".repeat(32)}\n`),
    text(` ${"aB".repeat(40)}`),
    text("A".repeat(43)),
    text("A".repeat(42)),
    text(`${"-_".repeat(30)}\r\n`),
    text(""),
    text("a".repeat(4096)),
    text("a".repeat(4097)),
    part(0, "a.txt", "", "hello"),
    part(0, "a.txt", "old", "hello"),
    part(OVERWRITE, "a.txt", "old", "hello", "more"),
    part(DISCARD, "a.txt", "", "hello"),
    part(OVERWRITE | DISCARD, "é".repeat(120), "old", new Uint8Array(3000)),
    part(0, "a/b", "", "x"),
  ];
}

export const stored: Target = {
  name: "stored",
  exact: true,
  maxBytes: 6000,
  seeds,
  mutate(input, other, prng) {
    if (prng.chance(0.05)) return spliced(input, 0, 1, Uint8Array.of(prng.integer(0, 7)));
    const head = input.slice(0, 1);
    const rest = other.slice(1);
    const bytes = input.slice(1);
    const changed = ((head[0] ?? 0) & PART) === 0
      ? mutateWith(bytes, rest, prng)
      : mutateParts(bytes, rest, prng, (part) => mutateWith(part, rest, prng));
    return spliced(changed, 0, 0, head);
  },
  run,
};
