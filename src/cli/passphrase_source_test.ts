import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import type { CommandContext } from "./command.ts";
import { passphraseOfFile, passphraseOfInput } from "./passphrase_source.ts";

/** What standard input, in pieces of so many bytes, is taken for. */
function ofInput(bytes: Uint8Array, piece: number): Promise<string> {
  const stdin = {
    async *bytes(): AsyncGenerator<Uint8Array, void, void> {
      for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
      await Promise.resolve();
    },
    release: () => undefined,
  };
  return passphraseOfInput({ io: { stdin } } as unknown as CommandContext);
}

test("a file and standard input hold the same passphrase, however it is cut", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "words");
    const long = "\u6f22".repeat(20_000);
    const texts: readonly [text: string, passphrase: string][] = [
      ["", ""],
      ["\n", ""],
      ["grün words\nmore", "grün words"],
      ["grün words\r\nmore", "grün words"],
      ["grün words", "grün words"],
      // As editors of Windows begin a file.
      ["\ufeffgrün words\n", "grün words"],
      [`${long}\n${long}`, long],
    ];
    for (const [text, passphrase] of texts) {
      const bytes = new TextEncoder().encode(text);
      await writeFile(path, bytes);
      assert.equal(await passphraseOfFile(path), passphrase);
      for (const piece of [1, 4096, 100_000]) {
        assert.equal(await ofInput(bytes, piece), passphrase, `${text.slice(0, 9)} in ${piece}`);
      }
    }
  });
});

test("a line that goes on is no passphrase: half of it would be one that nobody knows", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "endless");
    const bytes = new Uint8Array(200_000).fill(0x61);
    await writeFile(path, bytes);
    const refused = { code: "SEED", message: /cannot use passphrase: .* exceeds 65536 bytes/ };
    await assert.rejects(passphraseOfFile(path), refused);
    for (const piece of [1000, 200_000]) await assert.rejects(ofInput(bytes, piece), refused);
    await assert.rejects(passphraseOfFile(join(folder, "none")), { code: "FILE_IO" });
  });
});
