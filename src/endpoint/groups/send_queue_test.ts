import { test } from "node:test";
import assert from "node:assert/strict";
import { SttError } from "../../errors.ts";
import { queueLimits, type QueueOptions, SendQueue } from "./send_queue.ts";

interface Item {
  readonly name: string;
  readonly size: number;
}

/** A queue before a sender that takes one item when the test says so. */
class Fixture {
  readonly sent: string[] = [];
  readonly told: string[] = [];
  readonly queue: SendQueue<Item>;
  #release: (() => void) | undefined;
  #refuse: ((error: unknown) => void) | undefined;

  constructor(options: QueueOptions) {
    this.queue = new SendQueue<Item>(
      queueLimits(options),
      ({ name }) => {
        this.sent.push(name);
        return new Promise((resolve, reject) => {
          this.#release = resolve;
          this.#refuse = reject;
        });
      },
      {
        slow: () => this.told.push("slow"),
        drained: () => this.told.push("drained"),
        dropped: (count) => this.told.push(`dropped ${count}`),
        overflow: (error) => this.told.push(`overflow ${error.code}`),
      },
    );
  }

  offer(name: string, size = 1, signal?: AbortSignal) {
    return this.queue.offer({ name, size }, signal);
  }

  async step(): Promise<void> {
    this.#release?.();
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }

  async refuse(error: unknown): Promise<void> {
    this.#refuse?.(error);
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }
}

test("what there is room for is taken at once, and sent in order", async () => {
  const { queue, sent, offer, step } = bound(new Fixture({ maxQueued: 10 }));
  for (const name of ["a", "b", "c"]) {
    assert.deepEqual(offer(name), { sent: true, dropped: 0, error: undefined });
  }
  assert.deepEqual([sent, queue.queued, queue.queuedBytes], [["a"], 2, 2]);
  await step();
  await step();
  await step();
  assert.deepEqual([sent, queue.queued, queue.sent], [["a", "b", "c"], 0, 3]);
  await queue.idle();
});

test("drop-oldest: the newest stay, and what was lost is counted and told", async () => {
  const { queue, sent, told, offer, step } = bound(new Fixture({ maxQueued: 3 }));
  for (let i = 0; i < 10; i++) assert.equal((await offer(`${i}`)).sent, true);
  assert.deepEqual([queue.queued, queue.dropped], [3, 6]);
  for (let i = 0; i < 5; i++) await step();
  assert.deepEqual(sent, ["0", "7", "8", "9"]);
  assert.deepEqual(told, ["slow", ...Array(6).fill("dropped 1"), "drained"]);
});

test("drop-oldest by bytes: as many go as are needed, and one message always fits", async () => {
  const { queue, told, offer } = bound(new Fixture({ maxQueued: 100, maxQueuedBytes: 10 }));
  offer("under way");
  for (let i = 0; i < 5; i++) offer(`${i}`, 2);
  assert.deepEqual(await offer("x", 5), { sent: true, dropped: 3, error: undefined });
  assert.equal(queue.queuedBytes, 9);
  assert.deepEqual(await offer("huge", 1000), { sent: true, dropped: 3, error: undefined });
  assert.deepEqual([queue.queued, queue.queuedBytes], [1, 1000]);
  assert.deepEqual(told, ["slow", "dropped 3", "dropped 3"]);
});

test("block: senders wait in turn, and a signal ends one wait alone", async () => {
  const { queue, sent, offer, step } = bound(new Fixture({ policy: "block", maxQueued: 1 }));
  offer("0");
  offer("1");
  const controller = new AbortController();
  const done: string[] = [];
  const two = Promise.resolve(offer("2")).then(() => done.push("2"));
  const three = Promise.resolve(offer("3", 1, controller.signal)).then(() => done.push("3"));
  const four = Promise.resolve(offer("4")).then(() => done.push("4"));
  assert.equal(queue.queued, 4);
  const reason = new Error("no longer");
  controller.abort(reason);
  await assert.rejects(three, (error) => error === reason);
  await step();
  await two;
  assert.deepEqual(done, ["2"]);
  await step();
  await four;
  await step();
  await step();
  assert.deepEqual([sent, queue.dropped], [["0", "1", "2", "4"], 0]);
  await assert.rejects(async () => {
    offer("5");
    offer("6");
    await offer("7", 1, AbortSignal.abort(reason));
  }, (error) => error === reason);
});

test("disconnect: the queue ends, and says that its peer was too slow", async () => {
  const { queue, sent, told, offer, step } = bound(
    new Fixture({ policy: "disconnect", maxQueued: 2 }),
  );
  for (const name of ["0", "1", "2"]) offer(name);
  const offered = await offer("3");
  assert.deepEqual([offered.sent, offered.error?.code], [false, "BUSY"]);
  assert.equal((await offer("4")).error, offered.error);
  assert.deepEqual(told, ["slow", "overflow BUSY"]);
  await step();
  assert.deepEqual([sent, queue.queued], [["0"], 0]);
  await queue.idle();
});

test("a sender that fails ends the queue; whoever waits for room or for its end is told", async () => {
  const { queue, offer, refuse } = bound(new Fixture({ policy: "block", maxQueued: 1 }));
  offer("0");
  offer("1");
  const blocked = offer("2");
  const idle = queue.idle();
  await refuse(new Error("gone"));
  const { sent, error } = await blocked;
  assert.deepEqual([sent, (error as SttError).code], [false, "INTERNAL"]);
  await idle;
  assert.equal((await offer("3")).sent, false);
});

test("the error of a sender is that of its queue", async () => {
  const { offer, refuse } = bound(new Fixture({}));
  offer("0");
  const error = new SttError("TRUNCATED", "the session ended");
  await refuse(error);
  assert.equal((await offer("1")).error, error);
});

test("options out of range are CONFIG", () => {
  for (
    const options of [{ policy: "guess" }, { maxQueued: 0 }, { maxQueuedBytes: 0 }, {
      maxQueued: 1.5,
    }]
  ) assert.throws(() => queueLimits(options as QueueOptions), { code: "CONFIG" });
});

function bound(fixture: Fixture) {
  return {
    queue: fixture.queue,
    sent: fixture.sent,
    told: fixture.told,
    offer: fixture.offer.bind(fixture),
    step: fixture.step.bind(fixture),
    refuse: fixture.refuse.bind(fixture),
  };
}
