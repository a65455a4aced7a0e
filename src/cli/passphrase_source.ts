/**
 * Where a passphrase comes from: a file, or somebody who types it. Never an argument, which every user of the machine can
 * read.
 *
 * @module
 */
import { open } from "node:fs/promises";
import { fileError } from "../endpoint/files/file_error.ts";
import { SttError } from "../errors.ts";
import type { CommandContext } from "./command.ts";
import { Interrupted, UsageError } from "./exit_codes.ts";

/** A passphrase is well below this; a wrong path must not be read to its end. */
const MAX_BYTES = 65_536;

/** The first line of standard input, without its end. */
export async function passphraseOfInput({ io }: CommandContext): Promise<string> {
  try {
    return await firstLine(io.stdin.bytes(), "standard input");
  } finally {
    io.stdin.release();
  }
}

/** The first line of a file, without its end. */
export async function passphraseOfFile(path: string): Promise<string> {
  try {
    const file = await open(path, "r");
    // The file is closed with the stream.
    return await firstLine(file.createReadStream(), JSON.stringify(path));
  } catch (cause) {
    throw fileError("read", path, cause);
  }
}

/** The same for both, or one passphrase would make two seeds: a byte order mark is none of it, and half a line is no line. */
async function firstLine(chunks: AsyncIterable<Uint8Array>, what: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    length += chunk.length;
    if (text.includes("\n")) break;
    if (length > MAX_BYTES) {
      const why = `the first line of ${what} exceeds ${MAX_BYTES} bytes`;
      throw new SttError("SEED", `cannot use passphrase: ${why}`);
    }
  }
  return (text + decoder.decode()).split(/\r?\n/, 1)[0] ?? "";
}

/** One that is typed without being shown. */
export async function typedPassphrase(
  { io }: CommandContext,
  { stdinTaken, twice }: { readonly stdinTaken: boolean; readonly twice: boolean },
): Promise<string> {
  if (stdinTaken || !io.stdin.isTty || !io.stderr.isTty) {
    throw new UsageError("--ask-passphrase needs a terminal: use --passphrase-file FILE");
  }
  const ask = async (question: string): Promise<string> => {
    io.stderr.text(question);
    const line = await io.stdin.hiddenLine();
    io.stderr.text("\n");
    if (line === null) throw new Interrupted("SIGINT");
    return line;
  };
  const passphrase = await ask("Passphrase (not shown): ");
  // A slip of the finger would lose the file for ever.
  if (twice && await ask("The same again: ") !== passphrase) {
    throw new UsageError("the two passphrases are not the same");
  }
  return passphrase;
}
