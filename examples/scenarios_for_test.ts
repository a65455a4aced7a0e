/**
 * What each example is run through, in processes of their own, on whatever runtime starts them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { generateSeed, toHex } from "@seigr/stt";

const PATIENCE_MS = 30_000;

/** The command that runs an example: program and arguments before the example's own. */
export type Launcher = (example: string) => readonly [string, ...string[]];

class Program {
  readonly child: ChildProcess;
  output = "";
  readonly #ended: Promise<unknown[]>;

  constructor([program, ...args]: readonly [string, ...string[]], seed: string) {
    this.child = spawn(program, args, {
      env: { ...process.env, STT_SEED: seed, NO_COLOR: "1" },
      timeout: PATIENCE_MS,
      killSignal: "SIGKILL",
    });
    const take = (bytes: Uint8Array): void => void (this.output += new TextDecoder().decode(bytes));
    this.child.stdout?.on("data", take);
    this.child.stderr?.on("data", take);
    this.#ended = once(this.child, "close");
  }

  /** The first match in what it says. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found !== null) return found;
      const more = await Promise.race([
        once(this.child.stdout!, "data"),
        this.#ended.then(() => 0),
      ]);
      if (more === 0) {
        throw new Error(`${this.child.spawnargs} did not say ${pattern}: ${this.output}`);
      }
    }
  }

  say(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** Not by `child.kill`, after which Deno knows no exit code, whatever the program made of the signal. */
  signal(name: "SIGINT" | "SIGTERM"): void {
    process.kill(this.child.pid!, name);
  }

  async ends(code: number): Promise<string> {
    await this.#ended;
    assert.equal(this.child.exitCode, code, this.output);
    return this.output;
  }
}

/** Starts examples of one scenario. */
export class Stage {
  readonly #launcher: Launcher;
  readonly #seed: string = toHex(generateSeed());
  readonly #programs: Program[] = [];
  readonly folder: string;

  constructor(launcher: Launcher, folder: string) {
    this.#launcher = launcher;
    this.folder = folder;
  }

  /** The command that runs an example. */
  command(example: string, ...args: string[]): readonly [string, ...string[]] {
    return [...this.#launcher(example), ...args];
  }

  start(example: string, ...args: string[]): Program {
    const program = new Program(this.command(example, ...args), this.#seed);
    this.#programs.push(program);
    return program;
  }

  /** Starts a listener on a port of the system's choice and gives its address. */
  async listening(example: string, ...args: string[]): Promise<[Program, string]> {
    const program = this.start(example, ...args);
    return [program, (await program.says(/^listening on (\S+)$/m))[1]!];
  }

  async end(): Promise<void> {
    for (const { child } of this.#programs) child.kill("SIGKILL");
    await rm(this.folder, { recursive: true });
  }
}

/** Runs one scenario. */
export async function play(name: string, launcher: Launcher): Promise<void> {
  const stage = new Stage(launcher, await mkdtemp(join(tmpdir(), "stt-example-")));
  try {
    await SCENARIOS[name]!(stage);
  } finally {
    await stage.end();
  }
}

/** One for each example, by its name, and one for what they have in common. */
export const SCENARIOS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  async echo(stage) {
    const [listener, address] = await stage.listening("echo", "listen", "ws://127.0.0.1:0/");
    const dialler = stage.start("echo", "connect", address, "hello", "there");
    assert.equal(await dialler.ends(0), "hello there\n");
    listener.signal("SIGINT");
    await listener.ends(0);
  },

  async chat(stage) {
    const [ann, address] = await stage.listening("chat", "listen", "tcp://127.0.0.1:0", "ann");
    const bob = stage.start("chat", "connect", address, "bob");
    const eve = stage.start("chat", "connect", address, "eve");
    await Promise.all([bob.says(/connected/), eve.says(/connected/)]);
    bob.say("hello \x1b[2J");
    await Promise.all([ann, eve].map((other) => other.says(/^bob: hello ·\[2J$/m)));
    ann.say("welcome");
    await Promise.all([bob, eve].map((other) => other.says(/^ann: welcome$/m)));
    bob.child.stdin?.end();
    await bob.ends(0);
    await ann.says(/ left$/m);
    assert.doesNotMatch(bob.output, /bob:/);
  },

  async file_drop(stage) {
    const inbox = join(stage.folder, "inbox");
    const source = join(stage.folder, "report.txt");
    await writeFile(source, "x".repeat(100_000));
    const [listener, address] = await stage.listening(
      ...["file_drop", "listen", "ws://127.0.0.1:0/", inbox] as const,
    );
    const sender = stage.start("file_drop", "send", address, source);
    assert.equal(await sender.ends(0), "sent report.txt, 100000 bytes\n");
    await listener.says(/: received report.txt, 100000 bytes/);
    assert.equal((await readFile(join(inbox, "report.txt"))).length, 100_000);
    const again = stage.start("file_drop", "send", address, source);
    assert.match(await again.ends(1), /^FILE_EXISTS: /);
  },

  async sensors(stage) {
    const [, address] = await stage.listening("sensors", "hub", "udp://127.0.0.1:0");
    const watcher = stage.start("sensors", "watch", address);
    const sensor = stage.start("sensors", "sensor", address, "kitchen", "20");
    await watcher.says(/^"kitchen" [1-9]\d*: 2\d\.\d\d$/m);
    for (const program of [sensor, watcher]) program.signal("SIGTERM");
    await sensor.ends(0);
    await watcher.ends(0);
  },

  async rpc(stage) {
    const [, address] = await stage.listening("rpc", "serve", "tcp://127.0.0.1:0");
    assert.equal(await stage.start("rpc", "call", address, "add", "2", "3").ends(0), "5\n");
    assert.equal(await stage.start("rpc", "call", address, "count", "3").ends(0), "1\n2\n3\n");
    const wrong = stage.start("rpc", "call", address, "add", "two");
    assert.match(await wrong.ends(1), /^APPLICATION: .*no numbers/);
    assert.match(await stage.start("rpc", "call", address, "sub").ends(1), /^NO_ENDPOINT: /);
  },

  async over_a_command(stage) {
    const child = stage.command("over_a_command", "serve", "command:").join(" ");
    const dialler = stage.start("over_a_command", "connect", `command:${child}`);
    assert.equal(await dialler.ends(0), "through a pipe\n");
  },

  async "wrong use"(stage) {
    assert.match(await stage.start("echo", "--help").ends(0), /^usage: echo/);
    assert.match(await stage.start("echo", "lisen", "ws://127.0.0.1:0/").ends(2), /^usage: echo/);
    assert.match(await stage.start("echo", "--seed", "x").ends(2), /--seed/);
    const nobody = stage.start("echo", "connect", "tcp://127.0.0.1:1", "hello");
    assert.match(await nobody.ends(1), /^TRANSPORT: .*nobody listens/);
  },
};
