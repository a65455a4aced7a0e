import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../codec/hex.ts";
import { connect } from "../../endpoint/connect.ts";
import { FILES_APP } from "../../endpoint/files/mod.ts";
import { generateSeed } from "../../endpoint/seeds.ts";
import { withChildren } from "../child_for_test.ts";
import { pageFor } from "./page.ts";

test("listen --web: the page and its files, beside the WebSocket, and nothing else", async () => {
  await withChildren(async (start) => {
    const seed = generateSeed();
    const args = ["listen", "ws://127.0.0.1:0/a/b", "--web", "--json"];
    const listener = start(args, { seed: toHex(seed) });
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
    await peer.close();
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

test("the page lies under the path of its listener, its files beside it", async () => {
  const names = ["app.js", "icon.svg", "style.css"];
  for (
    const [path, folder] of [["/", "/"], ["/stt", "/"], ["/a/b", "/a/"], ["/a/", "/a/"]] as const
  ) {
    const files = [...(await pageFor(path)).keys()];
    assert.deepEqual(files.sort(), [path, ...names.map((name) => folder + name)].sort());
  }
});
