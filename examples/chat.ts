/**
 * Lines between two terminals, as messages.
 *
 * Run: `STT_SEED=… deno run -A examples/chat.ts listen ws://127.0.0.1:9000/` in one terminal and
 * `STT_SEED=… deno run -A examples/chat.ts connect ws://127.0.0.1:9000/` in the other.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { connect, listen, type Peer } from "../mod.ts";

async function talk(peer: Peer): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  void peer.closed.then(() => lines.close());
  const receiving = (async () => {
    const decoder = new TextDecoder();
    for await (const { data } of peer.messages()) console.log(`> ${decoder.decode(data)}`);
  })();
  const encoder = new TextEncoder();
  for await (const line of lines) await peer.send(encoder.encode(line));
  await peer.close();
  await receiving;
}

const [role, address] = process.argv.slice(2);
const seed = process.env.STT_SEED;
if (seed === undefined || address === undefined || (role !== "listen" && role !== "connect")) {
  console.error("usage: STT_SEED=HEX chat.ts listen|connect ADDRESS");
  process.exit(2);
}
if (role === "listen") {
  const listener = await listen(address, { seed });
  console.log(`listening on ${listener.address}`);
  const peer = await listener.nextPeer();
  if (peer !== null) await talk(peer);
  await listener.close();
} else {
  await talk(await connect(address, { seed }));
}
