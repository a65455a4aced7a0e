/// <reference lib="dom" />
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { type Child, withChildren } from "../../src/cli/child_for_test.ts";
import { toHex } from "../../src/codec/hex.ts";
import { generateSeed, seedFromPassphrase } from "../../src/endpoint/seeds.ts";
import { chromiumPath } from "./chromium.ts";

const executablePath = chromiumPath();
const skip = executablePath === undefined ? "this machine has no Chromium" : false;
/** Everything on the page happens on this machine; a wait as long as this is a failure. */
const DEADLINE_MS = 20_000;

/** `stt listen --web` in a process of its own, a page that it served, and what the page complained of. */
interface Scene {
  readonly listener: Child;
  readonly page: Page;
  /** Opens the page anew, with something behind #. */
  load(fragment?: string): Promise<void>;
  readonly complaints: string[];
  readonly nodeId: string;
  readonly inbox: string;
}

async function withPage(
  seed: string,
  args: (folder: string) => Promise<readonly string[]>,
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  const inbox = await mkdtemp(join(tmpdir(), "stt-page-"));
  let browser: Browser | undefined;
  try {
    await withChildren(async (start) => {
      const more = await args(inbox);
      const listen = ["listen", "ws://127.0.0.1:0/stt", "--web", "--chat", "--json"];
      const listener = start([...listen, "--out", inbox, ...more], { seed, stdin: true });
      browser = await chromium.launch({ executablePath: executablePath ?? "" });
      const page = await browser.newPage({ acceptDownloads: true });
      page.setDefaultTimeout(DEADLINE_MS);
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.type() !== "log") complaints.push(`${message.type()}: ${message.text()}`);
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("response", (response) => {
        if (!response.ok()) complaints.push(`${response.status()} ${response.url()}`);
      });
      const { page: url } = await listener.event("web");
      const { nodeId } = await listener.event("listening");
      const load = async (fragment = ""): Promise<void> => {
        // Another fragment alone would load nothing.
        await page.goto("about:blank");
        await page.goto(`${url}${fragment}`);
      };
      await run({ listener, page, load, complaints, nodeId: String(nodeId), inbox });
      assert.deepEqual(complaints, []);
      await browser.close();
    });
  } finally {
    await browser?.close();
    await rm(inbox, { recursive: true });
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The text of an element, once it matches. */
async function textOf(page: Page, selector: string, pattern: RegExp): Promise<string> {
  const found = page.locator(selector).filter({ hasText: pattern }).first();
  return await found.innerText();
}

test(
  "page: handshake, chat, files both ways and live statistics in a real browser",
  { skip },
  async () => {
    const seed = toHex(generateSeed());
    const offered = randomBytes(300_000);
    const offer = async (folder: string): Promise<string[]> => {
      await writeFile(join(folder, "from-listener.bin"), offered);
      return ["--offer", join(folder, "from-listener.bin")];
    };
    await withPage(seed, offer, async ({ listener, page, load, nodeId, inbox }) => {
      await load(`#seed=${seed}&expect=${nodeId}&name=ann`);
      assert.equal(new URL(page.url()).hash, "", "the seed stayed in the address");
      await page.click("#dial");
      await textOf(page, "#status", /^Connected in /);

      const messages = await page.locator("#handshake li strong").allInnerTexts();
      assert.deepEqual(messages, ["HELLO", "RESPONSE", "AUTH_PROOF", "FINAL"]);
      const sizes = await page.locator("#handshake .size").allInnerTexts();
      assert(sizes.every((size) => /^\d+ B$/.test(size)), sizes.join());
      assert.match(await page.innerText("#identity"), new RegExp(nodeId));
      assert.match(await page.innerText("#identity"), /the node that it must be/);
      assert.equal(await page.inputValue("#seed"), "", "the seed stayed in its field");

      await textOf(page, "#lines li", /you are ann; here: host/);
      await page.fill("#line", "hello <b>listener</b>");
      await page.press("#line", "Enter");
      const { from, text } = await listener.event("message");
      assert.deepEqual([from, text], ["ann", "hello <b>listener</b>"]);
      listener.process.stdin?.write("hello page\n");
      await textOf(page, "#lines li", /^host\s*hello page$/);

      await textOf(page, "#transfers li", /from-listener\.bin[^]*verified/);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.click("#transfers a.save"),
      ]);
      assert.equal(download.suggestedFilename(), "from-listener.bin");
      assert.equal(sha256(await readFile(await download.path())), sha256(offered));

      const sent = randomBytes(5_000_000);
      const name = "up.bin";
      const buffer = sent as Buffer;
      await page.setInputFiles("#files", { name, mimeType: "application/octet-stream", buffer });
      const received = await listener.event("received");
      assert.equal(received["sha256"], sha256(sent));
      assert.equal(sha256(await readFile(join(inbox, name))), sha256(sent));
      await textOf(page, "#transfers li", /up\.bin[^]*5\.00 MB[^]*verified/);
      const shown = await page.locator("#transfers li", { hasText: name }).locator(".detail")
        .getAttribute("data-sha256");
      assert.equal(shown, sha256(sent));

      const drawn = (): Promise<string | null> =>
        page.locator("#throughput polyline.first").getAttribute("points");
      const before = await drawn();
      await page.waitForFunction(
        (old) =>
          document.querySelector("#throughput polyline.first")?.getAttribute("points") !== old,
        before,
      );
      await textOf(page, "#rtt .legend", /ping [\d.]+ m?s/);
      await textOf(page, "#counters", /Sent\s*5\.\d+ MB/);

      await page.click("#leave");
      await textOf(page, "#status", /^Closed/);
      await listener.event("peer-left");
    });
  },
);

test(
  "page: a dropped file, a passphrase, a wrong secret and a listener that goes away",
  { skip },
  async () => {
    const words = ["correct horse battery staple", "example network"] as const;
    const seed = toHex(await seedFromPassphrase(...words));
    await withPage(seed, () => Promise.resolve([]), async (scene) => {
      const { listener, page, load, inbox } = scene;
      await load();
      await page.fill("#seed", toHex(generateSeed()));
      await page.click("#dial");
      await textOf(page, "#connect-error", /it has another one/);

      await page.click("text=Passphrase");
      await page.fill("#passphrase", words[0]);
      await page.fill("#network", words[1]);
      await page.click("#dial");
      await textOf(page, "#status", /^Connected in /);
      assert.match(await page.innerText("#identity"), /no node id was asked for/);

      await page.evaluate(() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(["dropped"], "dropped.txt"));
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
      });
      await listener.event("received");
      assert.equal(await readFile(join(inbox, "dropped.txt"), "utf8"), "dropped");
      await textOf(page, "#transfers li", /dropped\.txt[^]*verified/);

      listener.kill("SIGTERM");
      assert.equal(await listener.exit(), 143);
      await textOf(page, "#status", /^Closed/);
      assert.equal(await page.isDisabled("#line"), true);
      assert.equal(await page.isVisible("#connect"), true);
    });
  },
);
