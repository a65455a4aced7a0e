import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ON_DENO = import.meta.url.endsWith(".ts");
const PROGRAM = fileURLToPath(
  new URL(ON_DENO ? "kill_program_for_test.ts" : "kill_program_for_test.js", import.meta.url),
);
const NO_SIGNALS = process.platform === "win32" ? "Windows has no such signals" : false;
const DEADLINE_MS = 60_000;
const SIZE = 6_000_000;
/** Confirmed by then, and far from the end. */
const PART = 1_500_000;

type Event = Readonly<Record<string, unknown>>;

function expectedHash(): string {
  const bytes = new Uint8Array(SIZE);
  for (let place = 0; place < SIZE; place++) {
    bytes[place] = place * 31 + (place >> 8) + (place >> 16);
  }
  return createHash("sha256").update(bytes).digest("hex");
}

/** A side of the transfer in a process of its own. */
class Side {
  readonly events: Event[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #text = "";
  #errors = "";
  #wake: () => void = () => undefined;

  constructor(...args: string[]) {
    const runtime = ON_DENO ? ["run", "-A", "--no-check", "--quiet", "--unstable-net"] : [];
    this.#child = spawn(process.execPath, [...runtime, PROGRAM, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#text += chunk;
      const lines = this.#text.split("\n");
      this.#text = lines.pop() as string;
      this.events.push(...lines.map((line) => JSON.parse(line) as Event));
      this.#wake();
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (chunk: string) => this.#errors += chunk);
    this.#ended = new Promise((resolve) => this.#child.on("close", () => resolve()));
    this.#child.on("exit", () => this.#wake());
  }

  /** The first event that the test asks for, which it waits for. */
  async until(wanted: (event: Event) => boolean, what: string): Promise<Event> {
    const deadline = setTimeout(() => this.#child.kill("SIGKILL"), DEADLINE_MS);
    try {
      for (;;) {
        const found = this.events.find(wanted);
        if (found !== undefined) return found;
        if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
          await this.#ended;
          const last = this.events.find(wanted);
          if (last !== undefined) return last;
          assert.fail(`${what} never came\n${JSON.stringify(this.events)}\n${this.#errors}`);
        }
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  event(name: string): Promise<Event> {
    return this.until(({ event }) => event === name, name);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

class Stage {
  readonly folder: string;
  readonly #sides: Side[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  static async run(act: (stage: Stage) => Promise<void>): Promise<void> {
    const stage = new Stage(await mkdtemp(join(tmpdir(), "stt-kill-")));
    try {
      await mkdir(join(stage.folder, "a"));
      await mkdir(join(stage.folder, "b"));
      await act(stage);
    } finally {
      for (const side of stage.#sides) await side.kill();
      await rm(stage.folder, { recursive: true });
    }
  }

  receive(udp = "0", ws = "0"): Side {
    return this.#add(new Side("receive", join(this.folder, "a"), udp, ws));
  }

  send(address: unknown): Side {
    return this.#add(new Side("send", join(this.folder, "b"), String(address), String(SIZE)));
  }

  #add(side: Side): Side {
    this.#sides.push(side);
    return side;
  }
}

const enough = ({ event, offset }: Event): boolean =>
  event === "confirmed" && Number(offset) >= PART;

function lastConfirmed(side: Side): number {
  return Math.max(
    ...side.events.filter((one) => one.event === "confirmed")
      .map(({ offset }) => Number(offset)),
  );
}

/**
 * Nothing below `from` comes again. A receiver that lives has read up to a step of confirmation more; frames, the
 * handshake and the control stream come on top.
 */
function checkWire(wire: unknown, from: number): void {
  const rest = SIZE - from;
  assert.ok(
    Number(wire) > rest - 400_000 && Number(wire) < rest * 1.1 + 100_000,
    `${wire} bytes for ${rest} from ${from} on`,
  );
}

test(
  "SPEC 15: kill -9 of the sender over udp, resumed over ws",
  { skip: NO_SIGNALS },
  () =>
    Stage.run(async (stage) => {
      const receiver = stage.receive();
      const { udp, ws } = await receiver.event("listening");
      const sender = stage.send(udp);
      await receiver.until(enough, `${PART} confirmed bytes`);
      await sender.kill();
      const confirmed = lastConfirmed(receiver);
      const again = stage.send(ws);
      const { restored, from } = await again.event("sending");
      assert.equal(restored, true);
      assert.ok(Number(from) >= confirmed, `${from} is not below ${confirmed}`);
      const { sha256, wire, over } = await receiver.event("done");
      assert.equal(sha256, expectedHash());
      assert.match(String(over), /^ws:/);
      // The receiver lives: nothing that it read comes again, confirmed or not.
      checkWire(wire, Number(from));
      await again.event("sent");
      assert.equal(receiver.events.filter(({ event }) => event === "session").length, 1);
    }),
);

test("SPEC 15: kill -9 of the receiver over udp, the sender goes on by itself", {
  skip: NO_SIGNALS,
}, () =>
  Stage.run(async (stage) => {
    const receiver = stage.receive();
    const { udp, ws } = await receiver.event("listening");
    const sender = stage.send(udp);
    await receiver.until(enough, `${PART} confirmed bytes`);
    await receiver.kill();
    const confirmed = lastConfirmed(receiver);
    const again = stage.receive(new URL(String(udp)).port, new URL(String(ws)).port);
    const { from } = await again.event("stream");
    assert.ok(Number(from) >= confirmed, `${from} is not below ${confirmed}`);
    const { sha256, wire } = await again.event("done");
    assert.equal(sha256, expectedHash());
    checkWire(wire, Number(from));
    await sender.event("sent");
  }));

test(
  "SPEC 15: kill -9 of both, started again over ws",
  { skip: NO_SIGNALS },
  () =>
    Stage.run(async (stage) => {
      const receiver = stage.receive();
      const { udp } = await receiver.event("listening");
      const sender = stage.send(udp);
      await receiver.until(enough, `${PART} confirmed bytes`);
      await Promise.all([receiver.kill(), sender.kill()]);
      const again = stage.receive();
      const { ws, restored } = await again.event("listening");
      assert.equal(restored, 1);
      const resent = stage.send(ws);
      const { id, from } = await resent.event("sending");
      assert.equal(id, sender.events.find(({ event }) => event === "sending")?.id);
      const { sha256, wire } = await again.event("done");
      assert.equal(sha256, expectedHash());
      checkWire(wire, Number(from));
      await resent.event("sent");
    }),
);
