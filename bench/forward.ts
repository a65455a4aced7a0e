/**
 * `stt forward` over each transport beside a plain TCP proxy, on the loopback: bytes per second of one download, and of
 * eight at once. Each proxy is one process (`stt`: two), on this runtime.
 *
 * Run: `deno run -A --no-check bench/forward.ts [MEGABYTES]`
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { type AddressInfo, connect, createServer } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";

const HOST = "127.0.0.1";
const megabytes = Number(process.argv[2] ?? 400);
const SEED = "7".repeat(64);
const BIN = fileURLToPath(new URL("../src/cli/bin.ts", import.meta.url));
const SELF = fileURLToPath(import.meta.url);

async function serve(onSocket: Parameters<typeof createServer>[1]): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, onSocket as never);
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  return (server.address() as AddressInfo).port;
}

/** Sends so many megabytes to everybody who connects. */
function source(): Promise<number> {
  const chunk = new Uint8Array(262_144).fill(0x5a);
  return serve((socket) => {
    let left = megabytes * 1_000_000;
    const more = (): void => {
      while (left > 0) {
        const piece = chunk.subarray(0, Math.min(left, chunk.length));
        left -= piece.length;
        if (!socket.write(piece)) return void socket.once("drain", more);
      }
      socket.end();
    };
    socket.on("error", () => undefined);
    more();
  });
}

function download(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const socket = connect({ host: HOST, port });
    socket.on("data", (chunk) => (bytes += chunk.length));
    socket.on("error", reject);
    socket.on("end", () => resolve(bytes));
  });
}

async function measure(name: string, port: number): Promise<void> {
  const rates: string[] = [];
  for (const count of [1, 8]) {
    const started = performance.now();
    const all = await Promise.all(Array.from({ length: count }, () => download(port)));
    const ms = performance.now() - started;
    const bytes = all.reduce((a, b) => a + b, 0);
    if (bytes !== count * megabytes * 1_000_000) throw new Error(`${name}: ${bytes} bytes`);
    rates.push(`${(bytes / ms / 1000).toFixed(0)} MB/s`);
  }
  console.log(`${name.padEnd(16)} one ${rates[0]?.padStart(10)}   eight ${rates[1]?.padStart(10)}`);
}

/** Starts a child and waits for the first match on either output. */
function start(args: string[], wanted: RegExp): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, ["run", "-A", "--no-check", ...args], {
    env: { ...process.env, STT_SEED: SEED },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let text = "";
    const look = (chunk: unknown): void => {
      text += String(chunk);
      const match = wanted.exec(text)?.[1];
      if (match !== undefined) resolve([child, match]);
    };
    child.stdout?.on("data", look);
    child.stderr?.on("data", look);
    child.on("exit", () => reject(new Error(text)));
  });
}

if (process.argv[2] === "proxy") {
  const target = Number(process.argv[3]);
  const port = await serve((socket) => {
    const far = connect({ host: HOST, port: target, allowHalfOpen: true });
    socket.pipe(far);
    far.pipe(socket);
  });
  console.log(`proxy on ${port}.`);
} else {
  const port = await source();
  await measure("no proxy", port);
  const [proxy, proxied] = await start([SELF, "proxy", String(port)], /proxy on (\d+)\./);
  await measure("plain proxy", Number(proxied));
  proxy.kill();
  for (const scheme of ["tcp", "ws", "udp"]) {
    const listen = ["forward", "--listen", `${scheme}://${HOST}:0`, "--allow", `${HOST}:${port}`];
    const [listener, address] = await start([BIN, ...listen], /listening on (\S+)\n/);
    const dial = ["forward", address, "-L", `0:${HOST}:${port}`];
    const [dialler, local] = await start([BIN, ...dial], /forwarding \S+:(\d+) here/);
    await measure(`stt ${scheme}`, Number(local));
    dialler.kill();
    listener.kill();
  }
  process.exit(0);
}
