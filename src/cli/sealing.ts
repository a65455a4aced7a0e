/**
 * What `stt seal` and `stt open` have in common: where the secret comes from, where bytes come from and go to.
 *
 * @module
 */
import { open, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { type FileDestination, ForwardedBytes } from "../endpoint/files/destination.ts";
import { PartFile } from "../endpoint/files/part_file.ts";
import { fileError } from "../endpoint/files/file_error.ts";
import type { SealSecret } from "../storage/seal_stream.ts";
import type { StoreSecret } from "../storage/store_secret.ts";
import type { Arguments, OptionSpec } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { UsageError } from "./exit_codes.ts";
import { passphraseOfFile, typedPassphrase } from "./passphrase_source.ts";
import { sharedSeed } from "./seed_source.ts";
import { printable } from "./text.ts";

const READ_BYTES = 262_144;

export const SEALING_OPTIONS: readonly OptionSpec[] = [
  { name: "out", short: "o", value: "FILE", help: "where to write; - is standard output" },
  { name: "overwrite", help: "replace a file of the same name" },
  { name: "seed-file", value: "FILE", help: "file with the seed" },
  { name: "passphrase-file", value: "FILE", help: "file with a passphrase, instead of a seed" },
  { name: "ask-passphrase", help: "ask for a passphrase, instead of a seed" },
  { name: "context", value: "TEXT", help: "text that must be the same for seal and open" },
];

/** Bytes in, bytes out. */
export interface Sealing {
  /** `-` for standard input. */
  readonly from: string;
  /** `-` for standard output. */
  readonly to: string;
  readonly transform: TransformStream<Uint8Array, Uint8Array>;
}

/** What came of it. */
export interface Sealed {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly ms: number;
}

/** The one argument, and where its result goes. */
export function pathsOf(
  command: string,
  args: Arguments,
  defaultOut: (from: string) => string | undefined,
): { readonly from: string; readonly to: string } {
  const [from, ...others] = args.positionals;
  if (from === undefined || others.length > 0) {
    throw new UsageError(`${command} needs one file, or - for standard input`, command);
  }
  const to = args.text("out") ?? defaultOut(from);
  if (to === undefined) {
    const why = "its name does not end in .stts";
    throw new UsageError(`${command} ${JSON.stringify(from)} needs --out FILE: ${why}`, command);
  }
  return { from, to };
}

/** The source, for people. */
export function sourceName(from: string): string {
  return from === "-" ? "standard input" : printable(from);
}

/** The secret that the options name. */
export async function secretOf(
  args: Arguments,
  context: CommandContext,
  options: { readonly stdinTaken: boolean; readonly twice: boolean },
): Promise<SealSecret> {
  const text = args.text("context");
  return {
    secret: await seedOrPassphrase(args, context, options),
    ...(text === undefined ? {} : { context: new TextEncoder().encode(text) }),
  };
}

async function seedOrPassphrase(
  args: Arguments,
  context: CommandContext,
  options: { readonly stdinTaken: boolean; readonly twice: boolean },
): Promise<StoreSecret> {
  const path = args.text("passphrase-file");
  const asked = args.flag("ask-passphrase");
  const ways = [path !== undefined, asked, args.text("seed-file") !== undefined];
  if (ways.filter(Boolean).length > 1) {
    throw new UsageError("--seed-file, --passphrase-file and --ask-passphrase exclude each other");
  }
  if (path !== undefined) return { passphrase: await passphraseOfFile(path) };
  if (asked) return { passphrase: await typedPassphrase(context, options) };
  return await sharedSeed(args, context, options.stdinTaken);
}

/** Runs bytes through the transform. The target appears when it is whole; on any error nothing is left of it. */
export async function runSealing(
  { from, to, transform }: Sealing,
  args: Arguments,
  context: CommandContext,
): Promise<Sealed> {
  const { io, report, signal } = context;
  const started = io.now();
  const source = from === "-"
    ? { size: null, bytes: io.stdin.bytes() }
    : { size: await sizeOf(from), bytes: fileBytes(from) };
  const target = to === "-"
    ? new ForwardedBytes((chunk) => io.stdout.bytes(chunk))
    : await PartFile.create(dirname(to), basename(to), args.flag("overwrite"));
  const counts = { in: 0, out: 0 };
  const progress = report.progress();
  const counted = counting(source.bytes, (length) => {
    counts.in += length;
    progress({ name: from, bytes: counts.in, size: source.size, resumed: 0 });
  });
  try {
    await streamOf(counted).pipeThrough(transform, { signal }).pipeTo(
      sinkOf(target, (length) => counts.out += length),
      { signal },
    );
    await target.commit();
  } catch (error) {
    await target.discard();
    throw error;
  } finally {
    if (from === "-") io.stdin.release();
  }
  return { bytesIn: counts.in, bytesOut: counts.out, ms: io.now() - started };
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    const facts = await stat(path);
    return facts.isFile() ? facts.size : null;
  } catch (cause) {
    throw fileError("read", path, cause);
  }
}

async function* fileBytes(path: string): AsyncGenerator<Uint8Array, void, void> {
  try {
    const file = await open(path, "r");
    // The file is closed with the stream.
    yield* file.createReadStream({ highWaterMark: READ_BYTES });
  } catch (cause) {
    throw fileError("read", path, cause);
  }
}

async function* counting(
  source: AsyncIterable<Uint8Array>,
  count: (length: number) => void,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of source) {
    count(chunk.length);
    yield chunk;
  }
}

function streamOf(source: AsyncGenerator<Uint8Array, void, void>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await source.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel() {
      // Not waited for: standard input may have nothing to say any more.
      void source.return();
    },
  });
}

function sinkOf(
  target: FileDestination,
  count: (length: number) => void,
): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    async write(chunk) {
      await target.write(chunk);
      count(chunk.length);
    },
  });
}
