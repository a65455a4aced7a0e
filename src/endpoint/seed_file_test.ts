import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import process from "node:process";
import { toBase64Url } from "../codec/base64url.ts";
import { toHex } from "../codec/hex.ts";
import { SttError } from "../errors.ts";
import { readSeedFile, seedFromFile, writeSeedFile } from "./seed_file.ts";

const SEED = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 0xe0);
const POSIX = process.platform !== "win32";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stt-seed-"));
  path = join(folder, "network.seed");
});

afterEach(() => rmSync(folder, { recursive: true }));

function refusal(code: string, ...absent: string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SttError);
    assert.equal(error.code, code);
    assert.ok(error.message.includes("seed"));
    for (const text of absent) assert.ok(!`${error.message} ${error.cause}`.includes(text));
    return true;
  };
}

test("a written seed file reads back and belongs to its owner alone", async () => {
  await writeSeedFile(path, SEED);
  assert.equal(readFileSync(path, "utf8"), `${toHex(SEED)}\n`);
  if (POSIX) assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(await readSeedFile(path), { seed: SEED, looseMode: false });
  assert.deepEqual(await seedFromFile(path), SEED);
});

test("hexadecimal and base64url with white space around them are read", async () => {
  for (const text of [toHex(SEED), toHex(SEED).toUpperCase(), toBase64Url(SEED)]) {
    for (const content of [text, `\ufeff${text}\r\n`, `\n\t ${text} \n\n`]) {
      writeFileSync(path, content);
      assert.deepEqual(await seedFromFile(path), SEED);
    }
  }
});

test("a file that others may read or write is reported", { skip: !POSIX }, async () => {
  await writeSeedFile(path, SEED);
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o644]) {
    chmodSync(path, mode);
    assert.equal((await readSeedFile(path)).looseMode, true, mode.toString(8));
  }
  chmodSync(path, 0o400);
  assert.equal((await readSeedFile(path)).looseMode, false);
});

test("unreadable content is refused without being repeated", async () => {
  const word = "correcthorse";
  const contents = [
    "",
    " \n",
    word,
    `${toHex(SEED)} ${word}`,
    toHex(SEED.subarray(1)),
    `${word}${"!".repeat(60)}`,
    `${toHex(SEED)}\n${toHex(SEED)}`,
  ];
  for (const content of contents) {
    writeFileSync(path, content);
    await assert.rejects(readSeedFile(path), refusal("SEED", word, toHex(SEED.subarray(1))));
  }
});

test("a file above 4096 bytes is refused, one of exactly that size is not", async () => {
  writeFileSync(path, toHex(SEED).padEnd(4096));
  assert.deepEqual(await seedFromFile(path), SEED);
  writeFileSync(path, toHex(SEED).padEnd(4097));
  await assert.rejects(readSeedFile(path), refusal("SEED"));
});

test("a missing file and a folder are errors of the seed", async () => {
  await assert.rejects(readSeedFile(path), refusal("SEED"));
  await assert.rejects(readSeedFile(folder), refusal("SEED"));
});

test("writing replaces nothing and leaves nothing behind", async () => {
  writeFileSync(path, "precious");
  await assert.rejects(writeSeedFile(path, SEED), refusal("FILE_EXISTS"));
  assert.equal(readFileSync(path, "utf8"), "precious");
  await assert.rejects(writeSeedFile(join(folder, "none", "x"), SEED), refusal("FILE_IO"));
  const short = join(folder, "short");
  await assert.rejects(writeSeedFile(short, SEED.subarray(1)), refusal("SEED"));
  assert.equal(existsSync(short), false);
});

test("a seed in place of a file name is not repeated", async () => {
  for (const text of [toHex(SEED), toBase64Url(SEED)]) {
    await assert.rejects(readSeedFile(text), refusal("SEED", text));
  }
});
