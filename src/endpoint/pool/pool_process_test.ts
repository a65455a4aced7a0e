import { test } from "node:test";
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { toHex } from "../../codec/hex.ts";
import { connect } from "../connect.ts";
import { text, until } from "../joined_for_test.ts";
import { classifyFailure } from "../requests/failures.ts";
import { generateSeed } from "../seeds.ts";
import { SessionPool } from "./pool.ts";

const DENO = "deno" in process.versions;
const PROGRAM = fileURLToPath(
  new URL(`./server_for_test.${DENO ? "ts" : "js"}`, import.meta.url),
);
const EMPTY = new Uint8Array(0);
const WINDOWS = process.platform === "win32";

interface Server {
  readonly child: ChildProcess;
  readonly address: string;
}

/** `child.kill` of Deno sends no more than one. Who is gone gets none. */
function signal({ child }: Server, name: NodeJS.Signals): void {
  try {
    process.kill(child.pid as number, name);
  } catch (error) {
    if ((error as { code?: string }).code !== "ESRCH") throw error;
  }
}

async function start(seed: Uint8Array, name: string): Promise<Server> {
  const args = [...(DENO ? ["run", "-A", "--no-check"] : []), PROGRAM, toHex(seed), name];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const address = await new Promise<string>((resolve, reject) => {
    let out = "";
    child.stdout?.on("data", (chunk) => {
      out += chunk;
      if (out.includes("\n")) resolve(out.trim());
    });
    child.once("close", () => reject(new Error(`the server ended: ${out}`)));
  });
  return { child, address };
}

async function pooled(
  run: (pool: SessionPool, servers: readonly Server[]) => Promise<void>,
): Promise<void> {
  const seed = generateSeed();
  const servers = await Promise.all(["0", "1", "2"].map((name) => start(seed, name)));
  const pool = new SessionPool(
    servers.map(({ address }) => address),
    (address, signal) => connect(address, { seed, signal, handshakeTimeout: 2000, closeFlush: 0 }),
    { pingInterval: 100, pingTimeout: 1000, initialDelay: 100 },
  );
  try {
    await until(() => pool.size === 3);
    await run(pool, servers);
  } finally {
    for (const server of servers) signal(server, "SIGKILL");
    await pool.close();
  }
}

test(
  "servers that are killed, hang or exit in the middle of requests: every idempotent one is answered",
  {
    skip: WINDOWS ? "needs SIGSTOP" : false,
  },
  () =>
    pooled(async (pool, [killed, hung]) => {
      assert.ok(killed !== undefined && hung !== undefined);
      let asking = true;
      const answers: string[] = [];
      const askers = Array.from({ length: 6 }, async () => {
        while (asking) {
          const reply = await pool.endpoint("name").request(EMPTY, {
            idempotent: { attempts: 10 },
          });
          answers.push(text(reply));
          // The servers' processes need their turn on a small machine.
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      });
      await until(() => new Set(answers).size === 3);
      const downOf = async (address: string): Promise<string> => {
        for await (const { detail } of pool.events(["down"])) {
          if (detail.address === address) return detail.error.code;
        }
        return "the pool was closed";
      };
      const first = downOf(killed.address);
      signal(killed, "SIGKILL");
      assert.match(await first, /TRUNCATED|TRANSPORT/);
      const second = downOf(hung.address);
      signal(hung, "SIGSTOP");
      assert.equal(await second, "IDLE_TIMEOUT");
      const from = answers.length;
      await until(() => answers.length > from + 50);
      assert.deepEqual(new Set(answers.slice(from + 12)), new Set(["2"]));
      // Alive again: it is found by itself.
      signal(hung, "SIGCONT");
      await until(() => pool.size === 2);
      const again = answers.length;
      await until(() => answers.slice(again).includes("1"));
      asking = false;
      await Promise.all(askers);
      assert.equal(pool.stats().reduce((sum, { load }) => sum + load, 0), 0);
      // Who makes its server end would end them all: it is not asked twice.
      await assert.rejects(
        pool.endpoint("exit").request(EMPTY),
        (error) => classifyFailure(error) === "transient",
      );
      await until(() => pool.size === 1);
      assert.match(text(await pool.endpoint("name").request(EMPTY)), /[12]/);
    }),
);

test(
  "a request under way at a server that hangs fails with it, and is not asked again unless it may be",
  {
    skip: WINDOWS ? "needs SIGSTOP" : false,
  },
  () =>
    pooled(async (pool, servers) => {
      const waiting = servers.map(() => pool.endpoint("never").request(EMPTY, { timeout: 0 }));
      const failures = waiting.map((one) => one.then(() => "answered", ({ code }) => code));
      await until(() => pool.stats().every(({ load }) => load === 1));
      for (const server of servers) signal(server, "SIGSTOP");
      assert.deepEqual(await Promise.all(failures), Array(3).fill("IDLE_TIMEOUT"));
      const stats = pool.stats();
      assert.deepEqual(stats.map(({ requests, ill, load }) => [requests, ill, load]), [
        [1, 1, 0],
        [1, 1, 0],
        [1, 1, 0],
      ]);
      await assert.rejects(pool.endpoint("name").request(EMPTY, { timeout: 50 }), {
        code: "DEADLINE",
      });
      signal(servers[1] as Server, "SIGCONT");
      assert.equal(text(await pool.endpoint("name").request(EMPTY)), "1");
    }),
);
