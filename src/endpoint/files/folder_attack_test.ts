// What a hostile peer can say in the folder service: nothing of it reaches the disk outside of its folder.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { renameSync, symlinkSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { SttError } from "../../errors.ts";
import { BlockStream } from "./block_stream.ts";
import { withFolder } from "./folder_for_test.ts";
import {
  decodeFolderAnswer,
  encodeFolderAnswer,
  encodeFolderOffer,
  encodeFolderWord,
  FOLDER_WINDOW,
  type FolderAnswer,
  type FolderOffer,
  type FolderWord,
} from "./folder_wire.ts";
import { FolderPlace } from "./folder_place.ts";
import { receiveTransfers, type TransferOutcome } from "./receive_transfers.ts";
import { FILE_REFUSALS, refusal, type RefusalName } from "./refusals.ts";
import { sendFolder } from "./send_folder.ts";
import { withSession } from "./session_for_test.ts";
import { receivedOf, sentOf, withScene } from "./trees_for_test.ts";
import { encodeOfferAnswer, takeBlock } from "./wire.ts";

const END: FolderWord = { kind: "end" };

function offer(entries: number, bytes: number, name = "box"): Uint8Array {
  return encodeFolderOffer({ name, entries, bytes, mode: "folder", resume: true } as FolderOffer);
}

function file(path: string, size: number): FolderWord {
  return { kind: "entry", entry: { path, size, executable: false } };
}

function hash(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** A whole file in one piece. */
function whole(n: number, bytes: Uint8Array): readonly (FolderWord | Uint8Array)[] {
  return [{ kind: "data", n, bytes: bytes.length, sha256: hash(bytes) }, bytes];
}

const ABC = Uint8Array.of(1, 2, 3);
const CANCELLED = refusal("cancelled");
/** More than is gathered in memory. */
const LARGE = 300_000;

interface Result {
  readonly answers: readonly FolderAnswer[];
  readonly outcome: TransferOutcome;
  readonly inbox: string;
}

/** Says `words` as the opener and gathers what the receiver answers until its end. */
async function said(
  words: readonly (FolderWord | Uint8Array)[],
  look: (result: Result) => Promise<void> | void = () => undefined,
  resume = false,
  prepare: (inbox: string) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await withFolder(async (folder) => {
    const inbox = join(folder, "in");
    await mkdir(inbox);
    await prepare(inbox);
    await withSession(async (sender, receiver) => {
      const outcomes = receiveTransfers(receiver, { directory: inbox, resume });
      const talk = async (): Promise<FolderAnswer[]> => {
        const stream = await sender.openStream();
        const reader = new BlockStream(stream, undefined);
        for (const word of words) {
          stream.tryWrite(word instanceof Uint8Array ? word : encodeFolderWord(word));
        }
        stream.end().catch(() => undefined);
        const answers: FolderAnswer[] = [];
        for (;;) {
          const block = await reader.block().catch(() => undefined);
          if (block === undefined) return answers;
          if (block.has("n") || !block.has("offset")) answers.push(decodeFolderAnswer(block));
        }
      };
      const [answers, step] = await Promise.all([talk(), outcomes.next()]);
      assert(step.value !== undefined);
      assert.deepEqual(await readdir(folder), ["in"], "something left the folder");
      for (const answer of answers) {
        // Fixed words for each code: nothing of what went wrong here.
        if (answer.kind !== "error") continue;
        const row = Object.values(FILE_REFUSALS).find(({ wire }) => wire === answer.refusal.error);
        assert.equal(answer.refusal.reason, row?.text);
      }
      await look({ answers, outcome: step.value, inbox });
    });
  });
}

/** The whole folder is refused, and nothing of it stays. */
async function refusedWhole(
  words: readonly (FolderWord | Uint8Array)[],
  name: RefusalName,
): Promise<void> {
  await said(words, async ({ answers, outcome, inbox }) => {
    const last = answers.at(-1);
    assert(last?.kind === "error" && last.n === undefined, JSON.stringify(last));
    assert.equal(last.refusal.error, FILE_REFUSALS[name].wire);
    assert(!last.refusal.reason.includes(inbox), "the reason tells a path");
    assert(!outcome.ok);
    assert.deepEqual(await readdir(inbox), []);
  });
}

test("paths from the network never leave the folder", async () => {
  const paths = [
    "../x",
    "a/../../x",
    "/tmp/x",
    "..",
    ".",
    "",
    "a//b",
    "a/",
    "/a",
    "a/./b",
    "a\\b",
    "C:/x",
    "a/C:\\x",
    "x\0",
    "a/x\0y",
    "NUL",
    "a/con.txt/b",
    "x ",
    "a /b",
    "a./b",
    "\\\\host\\share",
    "a/\u202ex",
    "x".repeat(256),
    Array(65).fill("d").join("/"),
    Array(9).fill("x".repeat(250)).join("/"),
    ".f.aaaaaaaaaaaa.kept.part",
    "d/.f.aaaaaaaaaaaa.bbbbbbbbbbbb.part/x",
  ].filter((path) => process.platform === "win32" || !path.startsWith("C:"));
  for (const folder of [false, true]) {
    const entries = paths.map((path): FolderWord =>
      folder ? { kind: "entry", entry: { path } } : file(path, 0)
    );
    const words = [offer(entries.length + 1, 3), ...entries, file("ok", 3)];
    await said([...words, ...whole(entries.length, ABC), END], async (result) => {
      const { answers, outcome, inbox } = result;
      const refused = answers.filter(({ kind }) => kind === "error");
      for (const [index, answer] of refused.entries()) {
        assert(answer.kind === "error" && answer.n === index, paths[index]);
        assert.equal(answer.refusal.error, FILE_REFUSALS.name.wire, paths[index]);
      }
      assert.equal(refused.length, paths.length);
      assert(outcome.ok && outcome.mode === "folder" && outcome.failed.length === paths.length);
      assert.deepEqual(await readdir(inbox), ["box"]);
      assert.deepEqual(await readdir(join(inbox, "box")), ["ok"]);
    });
  }
});

test("names of folders go by the rules of files", async () => {
  for (const name of ["..", "", "a/b", "a\\b", "/tmp", "NUL", ".x.aaaaaaaaaaaa.kept.part"]) {
    await refusedWhole([offer(0, 0, name), END], "name");
  }
});

test("a wrong hash is no file, and the others arrive", async () => {
  const bad: FolderWord = { kind: "data", n: 0, bytes: 3, sha256: hash(Uint8Array.of(9)) };
  const words = [offer(2, 6), file("bad", 3), file("good", 3), bad, ABC, ...whole(1, ABC), END];
  await said(words, async ({ outcome, inbox }) => {
    assert(outcome.ok && outcome.mode === "folder");
    assert.deepEqual(outcome.failed.map(({ error }) => error.code), ["FILE_HASH"]);
    assert.deepEqual(await readdir(join(inbox, "box")), ["good"]);
  });
});

test("one path twice, and a file that is also a folder: the second is refused", async () => {
  const words = [
    offer(4, 9),
    file("x", 3),
    file("x", 3),
    file("x/y", 3),
    { kind: "entry", entry: { path: "x" } },
  ] as (FolderWord | Uint8Array)[];
  // The first is on the disk before the others are named.
  words.splice(2, 0, ...whole(0, ABC));
  await said([...words, ...whole(1, Uint8Array.of(4, 5, 6)), END], async ({ outcome, inbox }) => {
    assert(outcome.ok && outcome.mode === "folder");
    assert.equal(outcome.failed.length, 3);
    for (const { error } of outcome.failed) assert.equal(error.code, "FILE_EXISTS");
    assert.deepEqual(new Uint8Array(await readFile(join(inbox, "box", "x"))), ABC);
  });
});

test("what breaks the order of the blocks refuses the folder, and leaves nothing", async () => {
  const x = file("x", 3);
  const cases: (readonly (FolderWord | Uint8Array)[])[] = [
    [offer(1, 3)],
    [offer(1, 3), END],
    [offer(1, 3), x, END],
    [offer(1, 3), x, ...whole(0, ABC)],
    [offer(1, 3), x, ...whole(0, ABC), END, ABC],
    [offer(1, 3), x, ...whole(0, ABC), x, END],
    [offer(1, 2), x, ...whole(0, ABC), END],
    [offer(1, 3), ...whole(0, ABC), END],
    [offer(1, 3), x, ...whole(1, ABC), END],
    [offer(1, 3), x, { kind: "data", n: 0, bytes: 4 }, ABC, END],
    [offer(1, 3), x, { kind: "data", n: 0, bytes: 3 }, ABC.subarray(1)],
    [offer(1, 3), x, { kind: "data", n: 0, bytes: 2, sha256: hash(ABC) }, ABC.subarray(1), END],
    [offer(1, 3), x, { kind: "prefix", n: 0, prefix: hash(ABC) }, END],
    [offer(1, 3), Uint8Array.of(0xff, 0xff, 0xff)],
    [offer(1, 3), x, ...whole(0, ABC), { kind: "given-up", n: 0, refusal: CANCELLED }, END],
    [
      offer(FOLDER_WINDOW + 2, 2000),
      ...Array.from({ length: FOLDER_WINDOW + 1 }, (_, n) => file(`f${n}`, 1)),
    ],
  ];
  for (const words of cases) await refusedWhole(words, "malformed");
});

test("a file may come byte by byte", async () => {
  const content = new Uint8Array(3000).map((_, index) => index);
  const bytes = [...content].flatMap((byte): (FolderWord | Uint8Array)[] => [
    { kind: "data", n: 0, bytes: 1 },
    Uint8Array.of(byte),
  ]);
  const last: FolderWord = { kind: "data", n: 0, bytes: 0, sha256: hash(content) };
  await said([offer(1, 3000), file("x", 3000), ...bytes, last, END], async ({ outcome, inbox }) => {
    assert(outcome.ok && outcome.mode === "folder");
    assert.deepEqual(new Uint8Array(await readFile(join(inbox, "box", "x"))), content);
  });
});

test("files that are given up while they are opened leave nothing", async () => {
  // The first sixteen are open, the others wait for their places.
  const files = Array.from({ length: 24 }, (_, n) => file(`f${n}`, LARGE));
  const given = files.map((_, n): FolderWord => ({ kind: "given-up", n, refusal: CANCELLED }));
  await said([offer(24, 24 * LARGE), ...files, ...given, END], async ({ outcome, inbox }) => {
    assert(outcome.ok && outcome.mode === "folder");
    assert.equal(outcome.failed.length, 24);
    assert.deepEqual(await readdir(join(inbox, "box")), []);
  });
});

/** Files that lie in a folder and those in it, parts among them, while a sender has announced many and sent nothing. */
async function openFiles(size: number, prepare: (inbox: string) => Promise<void>): Promise<number> {
  let open = 0;
  await withFolder(async (inbox) => {
    await prepare(inbox);
    await withSession(async (sender, receiver) => {
      const step = receiveTransfers(receiver, { directory: inbox, overwrite: true }).next();
      const stream = await sender.openStream();
      stream.tryWrite(offer(FOLDER_WINDOW + 1, FOLDER_WINDOW * size));
      for (let n = 0; n < FOLDER_WINDOW; n++) {
        stream.tryWrite(encodeFolderWord(file(`f${n}`, size)));
      }
      // The last of them fails at once, behind all others.
      stream.tryWrite(
        encodeFolderWord({ kind: "given-up", n: FOLDER_WINDOW - 1, refusal: CANCELLED }),
      );
      stream.tryWrite(encodeFolderWord(file("behind", 0)));
      const reader = new BlockStream(stream, undefined);
      for (let answered = false; !answered;) {
        answered = (await reader.block()).get("n") === FOLDER_WINDOW;
      }
      open = (await readdir(inbox, { recursive: true })).filter((name) =>
        /^\.?f\d+/.test(basename(name))
      ).length;
      stream.reset();
      stream.stop();
      await step;
    });
  });
  return open;
}

test("files that are announced and do not come are few that are open", async () => {
  const merging = (inbox: string): Promise<void> => mkdir(join(inbox, "box"));
  assert.equal(await openFiles(200_000, () => Promise.resolve()), 16);
  assert.equal(await openFiles(200_000, merging), 16);
  assert.equal(await openFiles(1, merging), 0);
});

test("few entries cannot make folders without end", async () => {
  await withFolder(async (directory) => {
    const options = { directory, name: "box", overwrite: false, limits: undefined, maxFolders: 3 };
    const place = await FolderPlace.create(options);
    await place.folder("a/b/c");
    await assert.rejects(
      place.folder("d"),
      (error) => error instanceof SttError && error.code === "FILE_TOO_LARGE",
    );
    await place.folder("a/b");
    assert.equal(await place.publish(() => true), join(directory, "box"));
    assert.deepEqual(await readdir(join(directory, "box")), ["a"]);
  });
});

test("a path that is named twice takes nothing away that came with the first", async () => {
  const key = createHash("sha256").update("folder\0box").digest("hex").slice(0, 12);
  const words: (FolderWord | Uint8Array)[] = [
    offer(2, 6),
    file("x", 3),
    { kind: "prefix", n: 0, prefix: hash(ABC) },
    { kind: "data", n: 0, bytes: 0, sha256: hash(ABC) },
    file("x", 3),
    END,
  ];
  await said(
    words,
    async ({ outcome, inbox }) => {
      assert(outcome.ok && outcome.mode === "folder");
      assert.deepEqual(outcome.failed.map(({ error }) => error.code), ["FILE_EXISTS"]);
      assert.deepEqual(await readdir(join(inbox, "box")), ["x"]);
    },
    true,
    // What an earlier transfer left.
    async (inbox) => {
      const left = join(inbox, `.box.${key}.aaaaaaaaaaaa.part`);
      await mkdir(left);
      await writeFile(join(left, "x"), ABC);
      await writeFile(join(left, "gone"), ABC);
    },
  );
});

test("a folder whose stream breaks the rules is not kept, even with resume", async () => {
  await said([offer(2, 6), file("x", 3), ...whole(0, ABC), file("y", 3)], async ({ inbox }) => {
    assert.deepEqual(await readdir(inbox), []);
  }, true);
});

test("a receiver that answers nonsense fails the sender, which does not hang", async () => {
  const cases: (readonly Uint8Array[])[] = [
    [encodeOfferAnswer({ offset: 5 })],
    [encodeOfferAnswer({ kept: 5 })],
    [encodeOfferAnswer({ offset: 0 }), encodeFolderAnswer({ kind: "ok", n: 7 })],
    [encodeOfferAnswer({ offset: 0 }), encodeFolderAnswer({ kind: "ok" })],
    [encodeOfferAnswer({ offset: 0 }), encodeFolderAnswer({ kind: "ok", n: 0 })],
    [encodeOfferAnswer({ offset: 0 }), encodeFolderAnswer({ kind: "kept", n: 0, kept: 4 })],
    [encodeOfferAnswer({ offset: 0 }), encodeFolderAnswer({ kind: "offset", n: 0, offset: 1 })],
    [encodeOfferAnswer({ offset: 0 }), Uint8Array.of(0xff, 0xff, 0xff)],
  ];
  await withFolder(async (folder) => {
    await mkdir(join(folder, "out"));
    await writeFile(join(folder, "out", "x"), ABC);
    for (const [index, answers] of cases.entries()) {
      await withSession(async (sender, receiver) => {
        const sending = sendFolder(sender, { path: join(folder, "out") });
        const outcome = sending.then(() => "sent", (error: unknown) => error);
        const stream = await receiver.acceptStream();
        assert(stream !== null);
        for (const answer of answers) stream.tryWrite(answer);
        const error = await outcome;
        assert(error instanceof SttError && error.code === "PROTOCOL", `case ${index}: ${error}`);
      });
    }
  });
});

test("a block of a folder is never larger than a block may be", () => {
  const bytes = encodeFolderWord(file("é".repeat(1024), 2 ** 50));
  assert.equal(takeBlock(bytes)?.size, bytes.length);
});

test("a folder that becomes a link while it is filled leads nothing out of it", {
  skip: process.platform === "win32" ? "links need a privilege" : false,
}, async () => {
  const tree = Object.fromEntries(
    Array.from({ length: 12 }, (_, n) => [`sub/f${n}`, new Uint8Array(LARGE).fill(n)]),
  );
  await withScene(tree, async ({ inbox, run }) => {
    const outside = join(inbox, "outside");
    const sub = join(inbox, "photos", "sub");
    await mkdir(outside);
    await mkdir(sub, { recursive: true });
    let swapped = false;
    const both = await run({}, {
      overwrite: true,
      onProgress: () => {
        // Some files are open by now, and others wait for their turn.
        if (swapped) return;
        swapped = true;
        renameSync(sub, join(inbox, "photos", "was"));
        symlinkSync(outside, sub);
      },
    });
    const { failed, entries } = sentOf(both);
    assert.deepEqual(await readdir(outside), []);
    assert.deepEqual([entries, failed.length], [0, 12]);
    for (const { error } of receivedOf(both).failed) assert.equal(error.code, "FILE_IO");
    const reasons = new Set(failed.map(({ error }) => error.message.replace(/^.*: /, "")));
    assert.deepEqual([...reasons], [FILE_REFUSALS.storage.text]);
  });
});
