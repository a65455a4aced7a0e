/**
 * Questions and answers: a node that answers names, and one that asks them, with a deadline.
 *
 *     rpc.ts serve tcp://127.0.0.1:9000
 *     rpc.ts call tcp://127.0.0.1:9000 add 2 3
 *     rpc.ts call tcp://127.0.0.1:9000 count 3
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  connect,
  decodeValue,
  encodeValue,
  Endpoints,
  listen,
  SttError,
  type SttValue,
} from "@seigr/stt";
import { run, type Setup } from "./command.ts";

const APP = "example-rpc/1";
/** Our own error codes begin at 0x100. */
const NOT_A_NUMBER = 0x101;

function numbersOf(body: Uint8Array): number[] {
  const value = decodeValue(body);
  if (Array.isArray(value) && value.every((item) => typeof item === "number")) return value;
  throw new SttError("APPLICATION", "the arguments are no numbers", { wire: NOT_A_NUMBER });
}

function endpoints(): Endpoints {
  const endpoints = new Endpoints();
  endpoints.register("add", async (request) => {
    const sum = numbersOf(await request.body()).reduce((a, b) => a + b, 0);
    return encodeValue(sum);
  });
  // An answer of many items, each sent as it comes; the asker may stop listening.
  endpoints.register("count", async function* (request) {
    const [to = 0] = numbersOf(await request.body());
    for (let number = 1; number <= to; number++) {
      yield encodeValue(number);
      await sleep(10, undefined, { signal: request.signal });
    }
  });
  return endpoints;
}

async function serve({ seed, address, signal }: Setup): Promise<void> {
  const listener = await listen(address, { seed, app: APP, signal });
  console.log(`listening on ${listener.address}`);
  const served = endpoints();
  listener.on("peer", (peer) => void served.serve(peer)); // never rejects
  await listener.closed;
}

async function call({ seed, address, rest, signal }: Setup): Promise<void> {
  const [name = "", ...words] = rest;
  const body = encodeValue(words.map((word): SttValue => /^-?\d+$/.test(word) ? +word : word));
  const peer = await connect(address, { seed, app: APP, signal });
  try {
    const endpoint = peer.endpoint(name);
    for await (const item of endpoint.exchange([body], { timeout: 5000, signal })) {
      console.log(decodeValue(item));
    }
  } finally {
    await peer.close();
  }
}

await run("usage: rpc.ts serve ADDRESS | rpc.ts call ADDRESS add|count NUMBER…", { serve, call });
