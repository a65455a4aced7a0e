import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CLASS_HIGH,
  CLASS_LOW,
  CLASS_NORMAL,
  CLASS_RETRANSMIT,
  classOf,
  ReadyNode,
  Scheduler,
} from "./scheduler.ts";

function serve(
  scheduler: Scheduler<string>,
  bytes: (owner: string) => number,
  count: number,
): string[] {
  const served: string[] = [];
  for (let index = 0; index < count; index++) {
    const node = scheduler.next();
    if (node === undefined) break;
    served.push(node.owner);
    scheduler.sent(node, bytes(node.owner), 1000);
  }
  return served;
}

function share(served: string[], owner: string): number {
  return served.filter((one) => one === owner).length;
}

test("priorities fall into three classes", () => {
  const rows: [number, number][] = [
    [1000, CLASS_HIGH],
    [667, CLASS_HIGH],
    [666, CLASS_NORMAL],
    [500, CLASS_NORMAL],
    [334, CLASS_NORMAL],
    [333, CLASS_LOW],
    [0, CLASS_LOW],
  ];
  for (const [priority, expected] of rows) assert.equal(classOf(priority), expected, `${priority}`);
});

test("every class with data gets at least 1 of any 16 packets", () => {
  const scheduler = new Scheduler<string>();
  scheduler.add(new ReadyNode("lost", CLASS_RETRANSMIT));
  scheduler.add(new ReadyNode("high", CLASS_HIGH));
  scheduler.add(new ReadyNode("normal", CLASS_NORMAL));
  scheduler.add(new ReadyNode("low", CLASS_LOW));
  const served = serve(scheduler, () => 1000, 1000);
  for (let at = 0; at + 16 <= served.length; at++) {
    const window = served.slice(at, at + 16);
    for (const owner of ["lost", "high", "normal", "low"]) assert.ok(share(window, owner) >= 1);
  }
  assert.ok(share(served, "lost") > 700, "retransmissions come first otherwise");
});

test("a class that was empty does not save up turns", () => {
  const scheduler = new Scheduler<string>();
  scheduler.add(new ReadyNode("high", CLASS_HIGH));
  serve(scheduler, () => 1000, 100);
  scheduler.add(new ReadyNode("low", CLASS_LOW));
  assert.equal(share(serve(scheduler, () => 1000, 13), "low"), 0);
  assert.equal(share(serve(scheduler, () => 1000, 1), "low"), 1);
});

test("inside a class, streams share bytes, not packets", () => {
  const scheduler = new Scheduler<string>();
  scheduler.add(new ReadyNode("large", CLASS_NORMAL));
  scheduler.add(new ReadyNode("small", CLASS_NORMAL));
  const served = serve(scheduler, (owner) => owner === "large" ? 1000 : 300, 4300);
  const large = 1000 * share(served, "large");
  const small = 300 * share(served, "small");
  assert.ok(Math.abs(large - small) <= 2000, `${large} against ${small}`);
});

test("held nodes are passed over until released; removed ones are gone", () => {
  const scheduler = new Scheduler<string>();
  const nodes = ["a", "b", "c"].map((name) => new ReadyNode(name, CLASS_NORMAL));
  for (const node of nodes) scheduler.add(node);
  scheduler.add(nodes[0]!);
  scheduler.hold(nodes[0]!);
  scheduler.remove(nodes[1]!);
  assert.deepEqual(serve(scheduler, () => 1000, 3), ["c", "c", "c"]);
  scheduler.add(nodes[0]!);
  assert.deepEqual(serve(scheduler, () => 1000, 1), ["c"], "held is queued already");
  scheduler.release();
  assert.deepEqual(serve(scheduler, () => 1000, 4), ["c", "a", "c", "a"]);
});

test("a change of class moves a queued node, and a held one when it returns", () => {
  const scheduler = new Scheduler<string>();
  const a = new ReadyNode("a", CLASS_LOW);
  const b = new ReadyNode("b", CLASS_NORMAL);
  scheduler.add(a);
  scheduler.add(b);
  scheduler.reclassify(a, CLASS_HIGH);
  assert.deepEqual(serve(scheduler, () => 1000, 2), ["a", "a"]);
  scheduler.hold(a);
  scheduler.reclassify(a, CLASS_LOW);
  scheduler.release();
  assert.deepEqual(serve(scheduler, () => 1000, 2), ["b", "b"]);
});
