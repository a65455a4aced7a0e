import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { toHex } from "../../codec/hex.ts";
import { connect } from "../../endpoint/connect.ts";
import { FILES_APP, receiveFiles } from "../../endpoint/files/mod.ts";
import { generateSeed } from "../../endpoint/seeds.ts";
import type { SttStream } from "../../endpoint/stt_stream.ts";
import { SttError } from "../../errors.ts";
import { withChildren } from "../child_for_test.ts";
import { pageFor } from "./page.ts";

async function messageOf(stream: SttStream): Promise<string> {
  return new TextDecoder().decode((await stream.read())!);
}

test("listen --web: the page and its files, beside the WebSocket, and nothing else", async () => {
  await withChildren(async (start) => {
    const seed = generateSeed();
    const args = ["listen", "ws://127.0.0.1:0/a/b", "--web", "--chat", "--json"];
    const listener = start(args, { seed: toHex(seed), stdin: true });
    const { page } = await listener.event("web");
    const { address } = await listener.event("listening");
    assert.equal(page, String(address).replace("ws:", "http:"));

    const answer: Response = await fetch(String(page));
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-security-policy") ?? "", /^default-src 'none'/);
    const html = await answer.text();
    const linked = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, name]) => name ?? "");
    assert.deepEqual(linked.sort(), ["app.js", "icon.svg", "style.css"]);
    for (const name of linked) {
      const file: Response = await fetch(new URL(name, String(page)));
      assert.equal(file.status, 200, name);
      assert((await file.text()).length > 100, name);
    }
    // No text of the page's own that would need 'unsafe-inline'.
    assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
    const elsewhere: Response = await fetch(new URL("../app.ts", String(page)));
    assert.equal(elsewhere.status, 404);
    await elsewhere.body?.cancel();

    const peer = await connect(String(address), { seed, app: FILES_APP });
    const stream = await peer.openStream({ mode: "messages" });
    await stream.write(new TextEncoder().encode("stt-chat/1\nann"));
    await stream.write(new TextEncoder().encode("hello"));
    const { from, text } = await listener.event("message");
    assert.deepEqual([from, text], ["ann", "hello"]);
    assert.match(await messageOf(stream), /^\nyou are ann; here: host$/);
    // The end of its input ends no listener.
    listener.process.stdin?.end("hello from here\n");
    assert.equal(await messageOf(stream), "host\nhello from here");
    await peer.close();
    listener.kill("SIGTERM");
    assert.equal(await listener.exit(), 143);
  });
});

test("listen --web: what goes with it is said", async () => {
  await withChildren(async (start) => {
    const cases: [string[], RegExp][] = [
      [["tcp://127.0.0.1:0", "--web"], /--web needs an address with ws: or wss:/],
      [["ws://127.0.0.1:0/", "--web", "--echo"], /exclude each other/],
      [["ws://127.0.0.1:0/", "--web", "--out", "-"], /--out -/],
      [["ws://127.0.0.1:0/", "--chat"], /--chat needs --web/],
    ];
    const seed = toHex(generateSeed());
    await Promise.all(cases.map(async ([args, text]) => {
      const child = start(["listen", ...args], { seed });
      assert.equal(await child.exit(), 2, args.join(" "));
      assert.match(child.stderr, text);
    }));
  });
});

test("listen --web: what is offered goes to whoever comes; what cannot be sent is told", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stt-web-"));
  try {
    await withChildren(async (start) => {
      const seed = generateSeed();
      const offer = join(folder, "offered.txt");
      await writeFile(offer, "hello");
      const offers = ["--offer", join(folder, "gone"), "--offer", offer];
      const args = ["listen", "ws://127.0.0.1:0/", "--web", "--json", ...offers];
      const listener = start(args, { seed: toHex(seed) });
      const { address } = await listener.event("listening");
      const peer = await connect(String(address), { seed, app: FILES_APP });
      const [file] = await Promise.all([
        receiveFiles(peer, { directory: folder, overwrite: true }).next(),
        listener.event("sent"),
      ]);
      assert.equal(file.value?.ok, true);
      assert.equal((await listener.event("not-sent"))["code"], "FILE_IO");
      await peer.close();
      listener.kill("SIGTERM");
      assert.equal(await listener.exit(), 143);
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a package without a page says so, and one with it needs no sources", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stt-web-"));
  try {
    const nowhere = pathToFileURL(`${folder}/`);
    const built = new URL("page.mjs", nowhere);
    await assert.rejects(
      pageFor("/", nowhere, built),
      (error) => error instanceof SttError && error.code === "UNSUPPORTED",
    );
    await writeFile(built, 'export default { "index.html": "page", "notes.txt": "text" };');
    // The page lies under the path of its listener, its files beside it.
    for (const [path, folder] of [["/", "/"], ["/stt", "/"], ["/a/b", "/a/"], ["/a/", "/a/"]]) {
      // What a runtime could not load it does not try again under the same name.
      const files = await pageFor(path!, nowhere, new URL("?again", built));
      assert.deepEqual([...files].map(([place, { type }]) => [place, type]), [
        [path, "text/html; charset=utf-8"],
        [`${folder}notes.txt`, "application/octet-stream"],
      ]);
    }
    if ("deno" in process.versions) {
      await writeFile(join(folder, "app.ts"), 'import "./gone.ts";');
      await assert.rejects(pageFor("/", nowhere, built), /cannot serve the page of --web: .*gone/);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
