import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { generateSeed } from "../endpoint/seeds.ts";
import { withChildren } from "./child_for_test.ts";

test("names that begin with a dot are taken with --hidden only, and within folders", async () => {
  await withFolder(async (folder) => {
    await mkdir(join(folder, ".ssh"));
    await mkdir(join(folder, "project"));
    for (const path of [".profile", ".ssh/authorized_keys", "project/.env"]) {
      await writeFile(join(folder, path), "x");
    }
    for (const hidden of [false, true]) {
      const inbox = join(folder, hidden ? "all" : "some");
      await mkdir(inbox);
      await withChildren(async (start) => {
        const seed = toHex(generateSeed());
        const how = hidden ? ["--hidden"] : [];
        const listener = start(
          ["listen", "tcp://127.0.0.1:0", "--out", inbox, "--json", ...how],
          { seed },
        );
        const { address } = await listener.event("listening");
        const paths = [".profile", ".ssh", "project"].map((name) => join(folder, name));
        const sender = start(["send", ...paths, String(address)], { seed });
        assert.equal(await sender.exit(), hidden ? 0 : 5);
        if (hidden) return;
        assert.match(sender.stderr, /"\.profile": the receiver does not allow the name/);
        const { message } = await listener.event("not-received");
        assert.match(String(message), /begins with a dot .*--hidden/);
      });
      const names = (await readdir(inbox)).sort();
      assert.deepEqual(names, hidden ? [".profile", ".ssh", "project"] : ["project"]);
      assert.deepEqual(await readdir(join(inbox, "project")), [".env"]);
    }
  });
});
