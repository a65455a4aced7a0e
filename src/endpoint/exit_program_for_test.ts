/**
 * A program that listens, connects, transfers, closes and does nothing else: it must end by itself. Prints `closed`
 * at the moment of the last close. Arguments: the address, and `native` for Deno's own WebSocket.
 *
 * @module
 */
import process from "node:process";
import { certificateForTest } from "../transport/certificate_for_test.ts";
import { connect } from "./connect.ts";
import { listen } from "./listener.ts";
import { generateSeed } from "./seeds.ts";

export async function main(address: string, native: boolean): Promise<void> {
  const certificate = address.startsWith("wss") ? certificateForTest() : { skip: "" };
  const { cert, key } = certificate.skip === undefined ? certificate : {};
  const secure = cert === undefined || key === undefined ? {} : { cert, key };
  const seed = generateSeed();
  const options = { seed, handshakeRate: Infinity };
  const listener = await listen(address, { ...options, transport: { native, ...secure } });
  for (let round = 0; round < 2; round++) {
    const client = await connect(listener.address, {
      seed,
      keepAlive: 5_000,
      signal: new AbortController().signal,
      transport: cert === undefined ? { native } : { ca: cert },
    });
    const server = await listener.nextPeer();
    const stream = await client.openStream();
    await stream.write(new Uint8Array(300_000));
    void stream.end();
    let size = 0;
    for await (const chunk of (await server?.acceptStream()) ?? []) size += chunk.length;
    if (size !== 300_000) throw new Error(`${size} bytes arrived`);
    await client.ping();
    if (round === 0) await client.close();
    else client.abort();
  }
  const refused = await connect(listener.address, {
    seed: generateSeed(),
    transport: cert === undefined ? { native } : { ca: cert },
  }).then(() => undefined, (error) => error.code);
  if (refused !== "HANDSHAKE_TIMEOUT") throw new Error(`the stranger got ${refused}`);
  await listener.close();
  process.stdout.write("closed\n");
}

const [program, address, native] = process.argv.slice(1);
if (program?.includes("exit_program_for_test") && address !== undefined) {
  await main(address, native === "native");
}
