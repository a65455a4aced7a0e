/**
 * Where a passphrase comes from: a file, or somebody who types it. Never an argument, which every user of the machine can
 * read.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { fileError } from "../endpoint/files/file_error.ts";
import type { CommandContext } from "./command.ts";
import { Interrupted, UsageError } from "./exit_codes.ts";

/** A passphrase is well below this; a wrong path must not be read to its end. */
const MAX_BYTES = 65_536;

/** The first line of standard input, without its end. */
export async function passphraseOfInput({ io }: CommandContext): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of io.stdin.bytes()) {
    chunks.push(chunk);
    length += chunk.length;
    if (chunk.includes(0x0a) || length > MAX_BYTES) break;
  }
  io.stdin.release();
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return firstLine(new TextDecoder().decode(bytes));
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? "";
}

/** The first line of a file, without its end. */
export async function passphraseOfFile(path: string): Promise<string> {
  try {
    return firstLine(await readFile(path, "utf8"));
  } catch (cause) {
    throw fileError("read", path, cause);
  }
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
