/**
 * A program whose handlers throw at every event, and whose session goes on. Prints what became of it.
 *
 * @module
 */
import process from "node:process";
import { connect } from "./connect.ts";
import { listen } from "./listener.ts";
import { generateSeed } from "./seeds.ts";

async function main(): Promise<void> {
  let uncaught = 0;
  let others = 0;
  process.on("uncaughtException", () => uncaught++);
  process.on("unhandledRejection", () => uncaught++);
  const fail = (): never => {
    throw new Error("of a handler");
  };
  const seed = generateSeed();
  const listener = await listen("tcp://127.0.0.1:0", { seed });
  listener.on("peer", (peer) => {
    peer.on("stream", fail);
    peer.on("stream", () => others++);
    peer.on("rekey", async () => {
      await Promise.resolve();
      fail();
    }, { once: true });
    peer.on("rekey", () => others++, { once: true });
    peer.on("close", fail);
    peer.on("close", () => others++);
    void peer.acceptStream().then((stream) => stream?.readable.pipeTo(stream.writable));
  });
  listener.on("peer", fail);
  listener.on("peer", () => others++);
  const client = await connect(listener.address, { seed });
  const stream = await client.openStream();
  client.rotateKeys();
  const writing = stream.write(new Uint8Array(100_000)).then(() => stream.end());
  let echoed = 0;
  for await (const chunk of stream) echoed += chunk.length;
  await writing;
  await client.ping();
  await client.close();
  await listener.close();
  process.stdout.write(`uncaught ${uncaught}, echoed ${echoed}, others ${others}\n`);
}

if (process.argv[1]?.includes("throwing_program_for_test") && process.argv[2] === "run") {
  await main();
}
