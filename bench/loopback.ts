/**
 * Moves bytes between two endpoints of this process over each transport: `deno run -A bench/loopback.ts [MB]`.
 */
import process from "node:process";
import { connect, generateSeed, listen } from "../mod.ts";

const megabytes = Number(process.argv[2] ?? 64);
if (!Number.isFinite(megabytes) || megabytes <= 0) {
  console.error("usage: loopback.ts [MB]");
  process.exit(2);
}
const total = Math.round(megabytes * 1e6);

async function run(address: string): Promise<{ mbps: number; connectMs: number; rps: number }> {
  const seed = generateSeed();
  const listener = await listen(address, { seed });
  const start = performance.now();
  const client = await connect(listener.address, { seed });
  const connectMs = performance.now() - start;
  const server = await listener.nextPeer();
  if (server === null) throw new Error("the listener closed");
  const echo = (async () => {
    for await (const { data } of server.messages()) await server.send(data);
  })();
  const received = (async () => {
    const stream = await server.acceptStream();
    let bytes = 0;
    if (stream !== null) { for await (const chunk of stream) bytes += chunk.length; }
    return bytes;
  })();
  const stream = await client.openStream();
  const chunk = new Uint8Array(65_536);
  const begin = performance.now();
  for (let sent = 0; sent < total; sent += chunk.length) {
    await stream.write(chunk.subarray(0, Math.min(chunk.length, total - sent)));
  }
  await stream.end();
  if (await received !== total) throw new Error("bytes were lost");
  const seconds = (performance.now() - begin) / 1000;
  const requests = 2000;
  const replies = performance.now();
  for (let i = 0; i < requests; i++) {
    await client.send(chunk.subarray(0, 64));
    await client.nextMessage();
  }
  const rps = requests / ((performance.now() - replies) / 1000);
  await client.close();
  await echo;
  await listener.close();
  return { mbps: total / 1e6 / seconds, connectMs, rps };
}

console.log(`${megabytes} MB in one stream, 64 KiB writes; both ends in one process`);
console.log("transport  MB/s  connect ms  64 B round trips/s");
for (const address of ["mem:loopback", "tcp://127.0.0.1:0", "ws://127.0.0.1:0/"]) {
  const { mbps, connectMs, rps } = await run(address);
  const name = address.slice(0, address.indexOf(":"));
  console.log(
    `${name.padEnd(9)} ${mbps.toFixed(0).padStart(5)} ${connectMs.toFixed(1).padStart(11)} ${
      rps.toFixed(0).padStart(19)
    }`,
  );
}
