import { test } from "node:test";
import assert from "node:assert/strict";
import { SttError } from "../../errors.ts";
import { bytes, MEMORY, NETS, pattern, text, UDP, until } from "../joined_for_test.ts";
import { classifyFailure } from "./failures.ts";
import { abortOf, deferred, served } from "./served_for_test.ts";

const EMPTY = new Uint8Array(0);

for (const net of [...NETS, UDP]) {
  const skip = net.skip === undefined ? {} : { skip: net.skip };
  test(
    `a request and its reply over ${net.name}, both ways`,
    skip,
    () =>
      served({ net }, async ({ client, server, endpoints }) => {
        endpoints.register("mirror", async (request) => (await request.body()).slice().reverse());
        for (const size of [0, 1, 127, 128, 100_000]) {
          const body = pattern(size);
          assert.deepEqual(await client.endpoint("mirror").request(body), body.slice().reverse());
        }
        assert.equal(endpoints.stats().answered, 5);
        await until(() => client.stats().streams.open === 0 && server.stats().streams.open === 0);
      }),
  );
}

test("requests do not wait for each other", () =>
  served({ endpoints: { maxPerPeer: 200 } }, async ({ client, endpoints }) => {
    const gate = deferred();
    endpoints.register("slow", async () => {
      await gate.promise;
      return bytes("slow");
    });
    endpoints.register("fast", (request) => request.body());
    endpoints.register("flood", async function* () {
      for (;;) yield pattern(10_000);
    });
    const slow = Array.from({ length: 50 }, () => client.endpoint("slow").request(EMPTY));
    // A reply that nobody reads holds its stream's window and no more.
    const unread = client.endpoint("flood").exchange([]);
    const fast = await Promise.all(
      Array.from({ length: 100 }, (_, i) => client.endpoint("fast").request(Uint8Array.of(i))),
    );
    assert.deepEqual(fast.map(([n]) => n), Array.from({ length: 100 }, (_, i) => i));
    assert.equal(endpoints.stats().running, 51);
    gate.resolve();
    assert.deepEqual((await Promise.all(slow)).map(text), Array(50).fill("slow"));
    unread.cancel();
    await until(() => endpoints.stats().running === 0);
  }));

test("a handler's own errors reach the asker with code and message, others only as INTERNAL", () =>
  served({}, async ({ client, server, endpoints }) => {
    const failures: unknown[] = [];
    endpoints.on("failure", ({ peer, endpoint, error }) => failures.push([peer, endpoint, error]));
    const secret = new Error("password is hunter2");
    const throwing = (name: string, error: unknown): void =>
      void endpoints.register(name, () => {
        throw error;
      });
    throwing("own", new SttError("APPLICATION", "é".repeat(200), { wire: 0x1234 }));
    throwing("refused", new SttError("REFUSED", "not today"));
    throwing("busy", new SttError("BUSY", "later"));
    throwing("secret", secret);
    throwing("local", new SttError("FILE_IO", "cannot read /etc/shadow"));
    throwing("low", new SttError("APPLICATION", "a code below the application's", { wire: 5 }));
    const failed = async (name: string): Promise<SttError> =>
      await client.endpoint(name).request(EMPTY).then(
        () => assert.fail("it was answered"),
        (error) => error,
      );
    const facts = async (name: string): Promise<unknown[]> => {
      const error = await failed(name);
      assert.ok(error instanceof SttError && error.remote);
      return [error.code, error.wire, classifyFailure(error)];
    };
    assert.deepEqual(await facts("own"), ["APPLICATION", 0x1234, "permanent"]);
    assert.ok((await failed("own")).message.endsWith(`: ${"é".repeat(128)}`));
    assert.deepEqual(await facts("refused"), ["REFUSED", 0x14, "refused"]);
    assert.deepEqual(await facts("busy"), ["BUSY", 0x15, "transient"]);
    assert.deepEqual(await facts("nobody"), ["NO_ENDPOINT", 0x30, "permanent"]);
    for (const name of ["secret", "local", "low"]) {
      assert.deepEqual(await facts(name), ["INTERNAL", 0xff, "permanent"]);
      assert.ok(!/hunter2|shadow|below/.test((await failed(name)).message));
    }
    assert.ok(failures.some((one) => (one as unknown[])[2] === secret));
    assert.ok((failures as unknown[][]).every(([peer]) => peer === server));
    assert.equal(endpoints.stats().failed.INTERNAL, 6);
  }));

test("the deadline travels: the handler is told, and the asker does not wait", () =>
  served({}, async ({ client, endpoints }) => {
    const seen: (number | undefined)[] = [];
    const aborted = deferred<unknown>();
    endpoints.register("never", async (request) => {
      seen.push(request.deadline);
      aborted.resolve(await abortOf(request.signal));
    });
    endpoints.register("deadline", (request) => void seen.push(request.deadline));
    await assert.rejects(client.endpoint("never").request(EMPTY, { timeout: 100 }), (error) => {
      assert.ok(error instanceof SttError && error.code === "DEADLINE");
      assert.equal(classifyFailure(error), "timeout");
      return true;
    });
    assert.equal((await aborted.promise as SttError).code, "DEADLINE");
    await client.endpoint("deadline").request(EMPTY, { timeout: 0 });
    await client.endpoint("deadline").request(EMPTY, { timeout: Infinity });
    await client.endpoint("deadline").request(EMPTY, { timeout: 5000 });
    assert.ok((seen[0] as number) >= 1 && (seen[0] as number) <= 100);
    assert.deepEqual(seen.slice(1, 3), [undefined, undefined]);
    assert.ok((seen[3] as number) > 0 && (seen[3] as number) <= 5000);
    await until(() => endpoints.stats().running === 0);
    assert.equal(endpoints.stats().failed.DEADLINE, 1);
  }));

test("a cancelled request ends the handler's signal and the stream on both sides", () =>
  served({}, async ({ client, server, endpoints }) => {
    const begun = deferred();
    const aborted = deferred<unknown>();
    endpoints.register("never", async (request) => {
      begun.resolve();
      aborted.resolve(await abortOf(request.signal));
      return bytes("too late");
    });
    const controller = new AbortController();
    const reason = new Error("no more interest");
    const asking = client.endpoint("never").request(EMPTY, { signal: controller.signal });
    await begun.promise;
    controller.abort(reason);
    await assert.rejects(asking, (error) => error === reason);
    const told = await aborted.promise as SttError;
    assert.deepEqual([told.code, told.remote], ["CANCELLED", true]);
    await until(() => client.stats().streams.open === 0 && server.stats().streams.open === 0);
    const before = client.endpoint("never").request(EMPTY, { signal: AbortSignal.abort(reason) });
    await assert.rejects(before, (error) => error === reason);
    await until(() => endpoints.stats().running === 0);
    assert.deepEqual(endpoints.stats().failed, { CANCELLED: 1 });
  }));

test("the end of the session ends requests on both sides, as something transient", () =>
  served({}, async ({ client, server, endpoints }) => {
    const begun = deferred();
    const aborted = deferred<unknown>();
    endpoints.register("never", async (request) => {
      begun.resolve();
      aborted.resolve(await abortOf(request.signal));
    });
    const asking = client.endpoint("never").request(EMPTY, { idempotent: { attempts: 1 } });
    await begun.promise;
    server.abort();
    await assert.rejects(asking, (error) => classifyFailure(error) === "transient");
    assert.ok(await aborted.promise instanceof SttError);
    await assert.rejects(client.endpoint("never").request(EMPTY), { code: "CLOSED" });
  }));

test("a reply that is not one item is refused by request()", () =>
  served({}, async ({ client, endpoints }) => {
    endpoints.register("none", () => []);
    endpoints.register("two", () => [EMPTY, EMPTY]);
    endpoints.register("nothing", () => undefined);
    endpoints.register("text", () => "hello" as unknown as Uint8Array);
    endpoints.register("texts", () => ["hello"] as unknown as Uint8Array);
    endpoints.register("large", () => new Uint8Array(1001));
    const ask = (name: string): Promise<Uint8Array> =>
      client.endpoint(name).request(EMPTY, { maxItem: 1000 });
    await assert.rejects(ask("none"), { code: "PROTOCOL" });
    await assert.rejects(ask("two"), { code: "PROTOCOL" });
    await assert.rejects(ask("text"), { code: "INTERNAL" });
    await assert.rejects(ask("texts"), { code: "INTERNAL" });
    await assert.rejects(ask("large"), { code: "BUFFER_EXCEEDED", limit: 1000, remote: false });
    assert.equal((await ask("nothing")).length, 0);
  }));

test("a request that is not the one item that body() wants, or too large, is told so", () =>
  served({ endpoints: { maxItem: 1000 } }, async ({ client, endpoints }) => {
    endpoints.register("one", (request) => request.body());
    const { name } = client.endpoint("one");
    assert.equal(name, "one");
    for (const items of [[], [EMPTY, EMPTY]]) {
      await assert.rejects(client.endpoint("one").exchange(items).next(), {
        code: "PROTOCOL",
        remote: true,
      });
    }
    await assert.rejects(client.endpoint("one").request(new Uint8Array(1001)), {
      code: "BUFFER_EXCEEDED",
      remote: true,
    });
    assert.equal((await client.endpoint("one").request(new Uint8Array(1000))).length, 1000);
  }));

test("wrong options and names are CONFIG", () =>
  served({}, async ({ client, server, endpoints }) => {
    assert.throws(() => client.endpoint(""), { code: "CONFIG" });
    assert.throws(() => endpoints.register("a\n", () => EMPTY), { code: "CONFIG" });
    const end = endpoints.register("a", () => EMPTY);
    assert.throws(() => endpoints.register("a", () => EMPTY), { code: "CONFIG" });
    await assert.rejects(endpoints.serve(server), { code: "CONFIG" });
    const a = client.endpoint("a");
    await assert.rejects(a.request("x" as unknown as Uint8Array), { code: "CONFIG" });
    await assert.rejects(a.request(EMPTY, { timeout: -1 }), { code: "CONFIG" });
    await assert.rejects(a.request(EMPTY, { timeout: NaN }), { code: "CONFIG" });
    await assert.rejects(a.request(EMPTY, { maxItem: 1.5 }), { code: "CONFIG" });
    await assert.rejects(a.request(EMPTY, { priority: 1001 }), { code: "CONFIG" });
    await assert.rejects(a.request(EMPTY, { idempotent: { attempts: 0 } }), { code: "CONFIG" });
    await assert.rejects(a.request(EMPTY, { idempotent: { jitter: 2 } }), { code: "CONFIG" });
    assert.deepEqual(endpoints.names, ["a"]);
    end();
    assert.deepEqual(endpoints.names, []);
    assert.equal(endpoints.unregister("a"), false);
  }));

test("who may not ask is refused, and who asks too much at once is told to come later", () =>
  served({ endpoints: { maxPerPeer: 2 } }, async ({ client, server, endpoints }) => {
    const gate = deferred();
    endpoints.register("mine", () => EMPTY, { accept: (peer) => peer !== server });
    // A promise is no answer, whatever comes of it.
    const later = { accept: (() => Promise.resolve(true)) as unknown as () => boolean };
    endpoints.register("later", () => EMPTY, later);
    endpoints.register("gate", () => gate.promise);
    for (const name of ["mine", "later"]) {
      const asked = client.endpoint(name).request(EMPTY);
      await assert.rejects(asked, { code: "REFUSED", remote: true });
    }
    const two = [client.endpoint("gate").request(EMPTY), client.endpoint("gate").request(EMPTY)];
    await until(() => endpoints.stats().running === 2);
    await assert.rejects(client.endpoint("gate").request(EMPTY), { code: "BUSY", remote: true });
    gate.resolve();
    await Promise.all(two);
    await client.endpoint("gate").request(EMPTY);
  }));

test("the limit over all peers holds as well, and events tell how requests ended", () =>
  served({ net: MEMORY, endpoints: { maxRequests: 1 } }, async ({ client, server, endpoints }) => {
    const gate = deferred();
    const ended: unknown[] = [];
    endpoints.on("request", ({ peer, endpoint, ms, code }) => {
      assert.ok(ms >= 0 && peer === server);
      ended.push([endpoint, code]);
    });
    endpoints.register("gate", () => gate.promise);
    const first = client.endpoint("gate").request(EMPTY);
    await until(() => endpoints.stats().running === 1);
    await assert.rejects(client.endpoint("gate").request(EMPTY), { code: "BUSY" });
    gate.resolve();
    await first;
    await until(() => ended.length === 2);
    assert.deepEqual(ended, [["gate", "BUSY"], ["gate", undefined]]);
  }));
