/**
 * The command inside the test's own process.
 *
 * @module
 */
import type { CliIo, CliOutput } from "./io.ts";
import { main } from "./main.ts";

/** Every command, as its help names it. */
export const COMMANDS: readonly string[] = [
  "keygen",
  "listen",
  "send",
  "receive",
  "chat",
  "forward",
  "ping",
  "top",
  "bench",
  "doctor",
  "seal",
  "open",
  "decode",
  "config",
  "completions",
];

/** What the world looks like to the command. */
export interface FakeWorld {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array;
  /** What is typed when a seed is asked for; with it, everything is a terminal. */
  readonly typed?: string | null;
  readonly columns?: number;
  readonly rows?: number;
  /** Ctrl-C is pressed when standard output first says this. */
  readonly interruptAt?: RegExp;
  /** Pressed as soon as keys are read. */
  readonly keys?: string;
}

/** What the command did. */
export interface FakeRun {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command and gathers its output. */
export async function runCommand(argv: readonly string[], world: FakeWorld = {}): Promise<FakeRun> {
  const isTty = world.typed !== undefined;
  const texts = { stdout: "", stderr: "" };
  let interrupt: (() => void) | undefined;
  const output = (name: "stdout" | "stderr"): CliOutput => ({
    isTty,
    columns: world.columns ?? 80,
    ...(world.rows === undefined ? {} : { rows: world.rows }),
    text(text): void {
      texts[name] += text;
      if (name !== "stdout" || world.interruptAt?.test(texts.stdout) !== true) return;
      interrupt?.();
      interrupt = undefined;
    },
    bytes(chunk): Promise<void> {
      texts[name] += new TextDecoder().decode(chunk);
      return Promise.resolve();
    },
  });
  const io: CliIo = {
    stdout: output("stdout"),
    stderr: output("stderr"),
    stdin: {
      isTty,
      async *bytes(): AsyncGenerator<Uint8Array, void, void> {
        await Promise.resolve();
        if (world.stdin !== undefined) yield world.stdin;
      },
      hiddenLine: () => Promise.resolve(world.typed ?? null),
      keys: (onKeys) => {
        if (world.keys !== undefined) onKeys(world.keys);
        return () => undefined;
      },
      release: () => undefined,
    },
    env: world.env ?? {},
    now: () => performance.now(),
    onSignal: (listener) => {
      interrupt = () => listener("SIGINT");
      return () => undefined;
    },
    exit: () => undefined,
  };
  const exit = await main(argv, io);
  return { exit, ...texts };
}
