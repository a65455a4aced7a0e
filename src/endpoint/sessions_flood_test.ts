/**
 * Floods by peers that hold a session, small: `deno task floods` has them at full size, and connection/floods_test.ts
 * those of single records.
 *
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "./connect.ts";
import { joined, type Net, TCP, UDP, until, WS } from "./joined_for_test.ts";

const LIMIT = { timeout: 60_000 };
const OPEN = { handshakeRate: Infinity };

for (const net of [TCP, WS, UDP] satisfies Net[]) {
  test(
    `${net.name}: sessions opened and closed leave the listener's tables empty`,
    LIMIT,
    async () => {
      await joined({ net, listen: OPEN }, async ({ seed, listener }) => {
        for (let round = 0; round < 40; round++) {
          const client = await connect(listener.address, { seed });
          await client.close();
        }
        await until(() => listener.stats().sessions === 1);
        const { accepted, handshaking, rejected } = listener.stats();
        assert.deepEqual({ accepted, handshaking, rejected }, {
          accepted: 41,
          handshaking: 0,
          rejected: 0,
        });
      });
    },
  );

  test(`${net.name}: streams opened and reset by the thousand leave nothing`, LIMIT, async () => {
    await joined({ net, both: { maxStreams: 16 } }, async ({ client, server }) => {
      const discarding = (async () => {
        for await (const stream of server.streams()) stream.stop();
      })();
      for (let count = 0; count < 1000; count++) {
        const stream = await client.openStream();
        await stream.write(new Uint8Array(10));
        stream.reset();
        stream.stop();
        assert.ok(server.stats().streams.open <= 16);
      }
      await client.ping();
      await until(() => server.stats().streams.open === 0 && client.stats().streams.open === 0);
      assert.equal(server.stats().streams.recvBuffered, 0);
      await client.close();
      await discarding;
    });
  });

  test(
    `${net.name}: a peer that reads nothing is sent no more than its windows`,
    LIMIT,
    async () => {
      const dial = { maxData: 100_000, maxStreamData: 50_000 };
      await joined({ net, dial, listen: { sendBuffer: 10_000 } }, async ({ client, server }) => {
        let written = 0;
        const pouring = (async () => {
          const stream = await server.openStream();
          const block = new Uint8Array(5000);
          for (;;) {
            await stream.write(block);
            written += block.length;
          }
        })().catch(() => undefined);
        await until(() => written >= 55_000);
        // Others on the session are not held up.
        assert.ok(await client.ping() >= 0);
        assert.ok(written <= 50_000 + 10_000 + 5000, `${written} bytes`);
        assert.ok(client.stats().streams.recvBuffered <= 50_000);
        client.abort();
        await pouring;
      });
    },
  );
}
