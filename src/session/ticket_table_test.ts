import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ticket, TicketTable } from "./ticket_table.ts";

const NOW = 1_731_000_000_000;
const HOUR = 3_600_000;
const LIMITS = { tickets: 6, ticketsPerPeer: 3 };
const SEED = new Uint8Array(8);
const ALICE = { nodeId: new Uint8Array(32).fill(1), seed: SEED, owner: "a" };
const BOB = { nodeId: new Uint8Array(32).fill(2), seed: SEED, owner: "b" };
const CAROL = { nodeId: new Uint8Array(32).fill(3), seed: SEED, owner: "c" };

function ticket(number: number, expires: number = NOW + HOUR): Ticket {
  return { id: new Uint8Array(16).fill(number), secret: new Uint8Array(32).fill(number), expires };
}

function filled(...numbers: number[]): { table: TicketTable; tickets: Ticket[] } {
  const table = new TicketTable(LIMITS);
  const tickets = numbers.map((number) => ticket(number));
  for (const one of tickets) table.add(ALICE, one);
  return { table, tickets };
}

const erased = ({ secret }: Ticket): boolean => secret.every((byte) => byte === 0);

test("a ticket is found as often as one likes and taken once", () => {
  const { table, tickets } = filled(1);
  const [one] = tickets as [Ticket];
  assert.equal(table.find(one.id, NOW)?.owner, "a");
  assert.deepEqual(table.find(one.id, NOW)?.nodeId, ALICE.nodeId);
  assert.equal(table.take(one.id, NOW), true);
  assert.equal(table.take(one.id, NOW), false);
  assert.equal(table.find(one.id, NOW), undefined);
});

test("SPEC 15.1: a ticket that was taken is erased", () => {
  const { table, tickets } = filled(1, 2);
  table.take((tickets[0] as Ticket).id, NOW);
  assert.deepEqual(tickets.map(erased), [true, false]);
  assert.deepEqual([table.size, table.peers], [1, 1]);
});

test("an expired ticket is not found, not taken, and erased", () => {
  const table = new TicketTable(LIMITS);
  const one = ticket(1, NOW);
  table.add(ALICE, one);
  assert.equal(table.find(one.id, NOW - 1)?.owner, "a");
  assert.equal(table.take(one.id, NOW), false);
  assert.deepEqual([erased(one), table.size, table.peers], [true, 0, 0]);
});

test("a clock that was set back by more than ten minutes makes no ticket older than a day", () => {
  const { table, tickets } = filled(1);
  const [one] = tickets as [Ticket];
  const early = one.expires - 86_400_000 - 600_000;
  assert.equal(table.take(one.id, early - 1), false);
  assert.equal(table.take(one.id, early), true);
});

test("limits: the oldest of a node goes first, then the oldest of all", () => {
  const { table, tickets } = filled(1, 2, 3, 4);
  assert.deepEqual(tickets.map(erased), [true, false, false, false]);
  for (const number of [5, 6, 7, 8]) table.add(BOB, ticket(number));
  assert.deepEqual(table.of("a").map(({ id }) => id[0]), [2, 3, 4]);
  assert.deepEqual(table.of("b").map(({ id }) => id[0]), [6, 7, 8]);
  table.add(CAROL, ticket(9));
  assert.equal(table.size, 6);
  assert.deepEqual(table.of("a").map(({ id }) => id[0]), [3, 4]);
});

test("owners, expiry and the end erase what they forget", () => {
  const { table, tickets } = filled(1, 2);
  const late = ticket(3, NOW + 2 * HOUR);
  table.add(BOB, late);
  table.expire(NOW + HOUR);
  assert.deepEqual(tickets.map(erased), [true, true]);
  assert.equal(table.size, 1);
  table.forget("a");
  assert.equal(table.size, 1);
  table.forget("b");
  assert.deepEqual([erased(late), table.size, table.peers], [true, 0, 0]);
  const more = filled(1, 2);
  more.table.clear();
  assert.deepEqual([more.tickets.map(erased), more.table.size], [[true, true], 0]);
});

test("the same id again replaces the ticket", () => {
  const { table, tickets } = filled(1);
  const again = ticket(1, NOW + 2 * HOUR);
  table.add(BOB, again);
  assert.deepEqual([erased(tickets[0] as Ticket), table.size, table.peers], [true, 1, 1]);
  assert.equal(table.find(again.id, NOW + HOUR)?.owner, "b");
});

test("of an owner's tickets the newest stay, as many as are to be kept", () => {
  const { table, tickets } = filled(1, 2, 3);
  table.add(BOB, ticket(4));
  table.keepNewest("a", 4);
  table.keepNewest("a", 3);
  assert.deepEqual(tickets.map(erased), [false, false, false]);
  table.keepNewest("a", 1);
  assert.deepEqual(tickets.map(erased), [true, true, false]);
  assert.deepEqual(table.of("b").map(({ id }) => id[0]), [4]);
  table.keepNewest("nobody", 0);
  assert.equal(table.size, 2);
});
