import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../endpoint/connect.ts";
import { listen } from "../../endpoint/listener.ts";
import { generateSeed } from "../../endpoint/seeds.ts";
import type { SttStream } from "../../endpoint/stt_stream.ts";
import { SttError } from "../../errors.ts";
import { ChatRoom } from "./room.ts";
import { CHAT_MALFORMED, type ChatLine, decodeLine, encodeJoin } from "./wire.ts";

const ID = "0123456789abcdef".repeat(4);

interface Guest {
  readonly stream: SttStream;
  say(text: string): Promise<void>;
  /** The next line that it hears. */
  hears(): Promise<string>;
}

interface Scene {
  readonly room: ChatRoom;
  readonly shown: ChatLine[];
  /** Joins, and waits for the greeting. */
  guest(name: string): Promise<Guest>;
  /** Opens a stream with this first message. */
  open(
    first: Uint8Array,
  ): Promise<{ readonly stream: SttStream; readonly served: Promise<boolean> }>;
}

async function withRoom(host: string | undefined, act: (scene: Scene) => Promise<void>) {
  const seed = generateSeed();
  const address = `mem:room-${Math.random()}`;
  const limits = { sendBuffer: 1024, maxStreamData: 4096, maxStreamWindow: 4096 };
  const listener = await listen(address, { seed, ...limits });
  const shown: ChatLine[] = [];
  const room = new ChatRoom(host, (line) => shown.push(line));
  const open: Scene["open"] = async (first) => {
    const client = await connect(address, { seed, ...limits });
    const peer = await listener.nextPeer();
    assert(peer !== null);
    const stream = await client.openStream({ mode: "messages" });
    await stream.write(first);
    const message = await peer.nextMessage();
    assert(message !== null);
    const there = peer.stream(message.streamId);
    assert(there !== undefined);
    const served = room.serve(there, message.data, ID);
    return { stream, served };
  };
  const guest: Scene["guest"] = async (name) => {
    const { stream } = await open(encodeJoin(name));
    const hears = async (): Promise<string> => {
      const message = await stream.read();
      assert(message !== null);
      const { from, text } = decodeLine(message);
      return `${from}|${text}`;
    };
    return { stream, hears, say: (text) => stream.write(new TextEncoder().encode(text)) };
  };
  try {
    await act({ room, shown, guest, open });
  } finally {
    await listener.close();
  }
}

test("everybody hears the others, and who comes and goes", async () => {
  await withRoom("host", async ({ room, shown, guest }) => {
    const a = await guest("alice");
    assert.equal(await a.hears(), "|you are alice; here: host");
    const b = await guest("");
    assert.equal(await b.hears(), "|you are 01234567; here: host, alice");
    assert.equal(await a.hears(), "|01234567 joined");
    await a.say("one");
    assert.equal(await b.hears(), "alice|one");
    room.say("two");
    assert.equal(await a.hears(), "host|two");
    assert.equal(await b.hears(), "host|two");
    await b.say("three");
    assert.equal(await a.hears(), "01234567|three");
    await b.stream.end();
    assert.equal(await b.stream.read(), null);
    assert.equal(await a.hears(), "|01234567 left");
    assert.deepEqual(shown.map(({ from, text }) => `${from}|${text}`), [
      "|alice joined",
      "|01234567 joined",
      "alice|one",
      "01234567|three",
      "|01234567 left",
    ]);
  });
});

test("what the host says at length comes in lines that a member takes", async () => {
  await withRoom("host", async ({ room, guest }) => {
    const a = await guest("alice");
    await a.hears();
    // The rest finds the small buffers of this test full.
    room.say("x".repeat(5000));
    assert.equal(await a.hears(), `host|${"x".repeat(4096)}`);
  });
});

test("a name belongs to one member, and is one word of harmless characters", async () => {
  await withRoom(undefined, async ({ room, guest }) => {
    const wishes = ["bob", "bob", "bob", " a\x1b[2J\nb ", "x".repeat(100), "\u202e"];
    // What looks like another's name is taken with it.
    wishes.push("Bob", "b\u200bo\u2060b", "\uff42ob");
    for (const wish of wishes) await (await guest(wish)).hears();
    assert.deepEqual(room.names, [
      "bob",
      "bob-0123",
      "bob-0123-2",
      "a\\x1b[2J_b",
      "x".repeat(32),
      "01234567",
      "Bob-0123-3",
      "bob-0123-4",
      "\uff42ob-0123-5",
    ]);
  });
});

test("what is none of a chat is left to others, and what breaks its rules is reset", async () => {
  await withRoom(undefined, async ({ open, room, guest }) => {
    const other = await open(new TextEncoder().encode("hello"));
    assert.equal(await other.served, false);
    for (const bad of [new Uint8Array(5000), Uint8Array.of(0xff), new Uint8Array(0)]) {
      const member = await guest("bad");
      await member.hears();
      await member.stream.write(bad);
      await assert.rejects(
        member.stream.read(),
        (error) => error instanceof SttError && error.wire === CHAT_MALFORMED,
      );
      assert.deepEqual(room.names, []);
    }
  });
});

test("a member that does not read misses lines, is told how many, and holds nobody up", async () => {
  await withRoom("host", async ({ room, guest }) => {
    const slow = await guest("slow");
    const quick = await guest("quick");
    assert.equal(await quick.hears(), "|you are quick; here: host, slow");
    const line = "x".repeat(500);
    for (let number = 0; number < 200; number++) {
      room.say(`${number} ${line}`);
      assert.equal(await quick.hears(), `host|${number} ${line}`);
    }
    const heard: string[] = [];
    do heard.push(await slow.hears()); while (!/you missed/.test(heard.at(-1) ?? ""));
    const got = heard.filter((text) => text.startsWith("host|")).length;
    const missed = Number(/you missed (\d+) lines/.exec(heard.at(-1) ?? "")?.[1]);
    assert.equal(got + missed, 200);
    // What waits for it is bounded by the windows, here of a few KiB.
    assert(got < 40, `${got} lines waited`);
  });
});
