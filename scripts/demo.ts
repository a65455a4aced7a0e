/**
 * `deno task demo [FILE]`: a listener and a sender as two processes, a file between them over WebSocket on loopback,
 * and the proof that it arrived: both SHA-256. Without FILE a file of this repository, repeated to 64 MiB, is sent.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { generateSeed, toHex } from "../mod.ts";
import { progressBar } from "../src/cli/progress.ts";
import { ROOT } from "./source_files.ts";

const SAMPLE = "vectors/stt1/handshake.json";
const SAMPLE_BYTES = 64 * 1024 * 1024;
const PATIENCE_MS = 120_000;

type Facts = Record<string, unknown>;

let barShown = false;

/** The sender's progress, on a terminal. */
function drawBar({ name, bytes, size, ms }: Facts): void {
  if (!process.stderr.isTTY) return;
  barShown = true;
  const state = {
    name: String(name),
    bytes: Number(bytes),
    size: Number(size),
    elapsedMs: Number(ms),
  };
  process.stderr.write(`\r${progressBar(state, (process.stderr.columns || 80) - 1)}\x1b[K`);
}

function clearBar(): void {
  if (barShown) process.stderr.write("\r\x1b[K");
}

/** A command of `stt` in its own process. */
class Command {
  readonly child: ChildProcess;
  /** The exit code, once the process has ended. */
  readonly exit: Promise<number>;
  readonly #events: Facts[] = [];
  #wake: () => void = () => undefined;
  #over = false;

  constructor(args: string[], seed: string) {
    const bin = fileURLToPath(new URL("src/cli/bin.ts", ROOT));
    this.child = spawn(process.execPath, ["run", "-A", "--frozen", bin, ...args, "--json"], {
      env: { ...process.env, STT_SEED: seed },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.exit = once(this.child, "exit").then(([code]) => typeof code === "number" ? code : 1);
    if (this.child.stdout !== null) {
      const lines = createInterface({ input: this.child.stdout });
      lines.on("line", (line) => {
        const facts = JSON.parse(line) as Facts;
        this.#events.push(facts);
        if (facts["event"] === "progress" && args[0] === "send") drawBar(facts);
        this.#wake();
      });
      lines.on("close", () => {
        this.#over = true;
        this.#wake();
      });
    }
  }

  /** The first event of this name; an `error` event or the end of the process before it is a failure. */
  async event(name: string): Promise<Facts> {
    for (let index = 0;;) {
      for (; index < this.#events.length; index++) {
        const event = this.#events[index] ?? {};
        if (event["event"] === name) return event;
        if (event["event"] === "error") throw new Error(String(event["message"]));
      }
      if (this.#over) throw new Error(`a process ended before it said "${name}"`);
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}

async function sampleFile(folder: string): Promise<string> {
  const content = await readFile(new URL(SAMPLE, ROOT));
  const path = join(folder, basename(SAMPLE));
  const file = await open(path, "wx");
  try {
    for (let bytes = 0; bytes < SAMPLE_BYTES; bytes += content.length) {
      await file.writeFile(content);
    }
  } finally {
    await file.close();
  }
  return path;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

function row(label: string, text: unknown): void {
  console.log(`${label.padEnd(18)}${String(text)}`);
}

async function demo(folder: string, commands: Command[]): Promise<boolean> {
  const path = process.argv[2] ?? await sampleFile(folder);
  const inbox = join(folder, "received");
  await mkdir(inbox);
  const seed = toHex(generateSeed());

  const listener = new Command(["listen", "ws://127.0.0.1:0/", "--out", inbox, "--once"], seed);
  commands.push(listener);
  const { address, nodeId } = await listener.event("listening");
  const expect = ["--expect", String(nodeId)];
  const sender = new Command(["send", path, String(address), ...expect], seed);
  commands.push(sender);

  const connected = await sender.event("connected");
  const peer = await listener.event("peer");
  const sent = await sender.event("sent");
  const received = await listener.event("received");
  const exits = await Promise.all([listener.exit, sender.exit]);
  clearBar();
  const hashes = [await sha256(path), await sha256(join(inbox, String(received["name"])))];

  row("listener node id", nodeId);
  row("sender node id", peer["nodeId"]);
  row("address", address);
  row("suite", connected["suite"]);
  row("handshake", `${Number(connected["handshakeMs"]).toFixed(0)} ms, dial and upgrade included`);
  row("file", `${path}`);
  row("bytes", sent["bytes"]);
  row(
    "speed",
    `${Number(sent["mbPerSecond"]).toFixed(1)} MB/s, until the receiver had verified it`,
  );
  row("sha256 sent", hashes[0]);
  row("sha256 received", hashes[1]);

  const same = hashes[0] === hashes[1] && hashes[0] === sent["sha256"] &&
    sent["sha256"] === received["sha256"] && sent["bytes"] === received["bytes"];
  const ended = exits.every((code) => code === 0);
  if (!same) console.error("demo: the two files differ");
  if (!ended) console.error(`demo: exit codes ${exits.join(" and ")} instead of 0`);
  if (same && ended) console.log("The file arrived whole.");
  return same && ended;
}

if (process.argv.length > 3 || process.argv[2]?.startsWith("-") === true) {
  console.error("usage: deno task demo [FILE]");
  process.exit(2);
}
const folder = await mkdtemp(join(tmpdir(), "stt-demo-"));
const commands: Command[] = [];
const late = setTimeout(() => {
  console.error(`demo: not done after ${PATIENCE_MS / 1000} s`);
  for (const { child } of commands) child.kill("SIGKILL");
}, PATIENCE_MS);
// Ctrl-C reaches the children too: once they have ended, so does the demo, by the way of every failure.
process.on("SIGINT", () => commands.forEach(({ child }) => child.kill("SIGINT")));
process.on("SIGTERM", () => commands.forEach(({ child }) => child.kill("SIGTERM")));
try {
  if (!await demo(folder, commands)) process.exitCode = 1;
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  clearTimeout(late);
  for (const { child } of commands) child.kill();
  await Promise.all(commands.map(({ exit }) => exit));
  await rm(folder, { recursive: true });
}
