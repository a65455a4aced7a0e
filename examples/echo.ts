/**
 * A listener that returns every byte stream, and a dialler that talks to it, in one process.
 *
 * Run: `deno run -A examples/echo.ts`
 */
import { connect, generateSeed, listen } from "../mod.ts";

const seed = generateSeed();
const listener = await listen("ws://127.0.0.1:0/", { seed });

const serving = (async () => {
  for await (const peer of listener) {
    for await (const stream of peer.streams()) await stream.readable.pipeTo(stream.writable);
  }
})();

const peer = await connect(listener.address, { seed, expect: listener.nodeId });
const stream = await peer.openStream();
await stream.write(new TextEncoder().encode("hello, echo"));
await stream.end();

let text = "";
const decoder = new TextDecoder();
for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
console.log(text);

await peer.close();
await listener.close();
await serving;
