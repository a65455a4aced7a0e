import assert from "node:assert/strict";
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  stat,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { SttError } from "../../errors.ts";
import { withFolder } from "./folder_for_test.ts";
import { PartFile } from "./part_file.ts";

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SttError && error.code === code;
}

test("the file appears under its name only at the end, readable by its owner alone", async () => {
  await withFolder(async (folder) => {
    const part = await PartFile.create(folder, "report.pdf", false);
    const content = new Uint8Array(700_000).map((_, index) => index % 251);
    for (let offset = 0; offset < content.length; offset += 99_991) {
      await part.write(content.subarray(offset, offset + 99_991));
    }
    const before = await readdir(folder);
    assert.equal(before.length, 1);
    assert.match(before[0] ?? "", /^\.report\.pdf\.[0-9a-f]{12}\.part$/);
    assert.equal(await part.commit(), join(folder, "report.pdf"));
    assert.deepEqual(await readdir(folder), ["report.pdf"]);
    assert.deepEqual(new Uint8Array(await readFile(join(folder, "report.pdf"))), content);
    if (process.platform !== "win32") {
      assert.equal((await stat(join(folder, "report.pdf"))).mode & 0o777, 0o600);
    }
  });
});

test("the caller's buffer may change at once", async () => {
  await withFolder(async (folder) => {
    const part = await PartFile.create(folder, "x", false);
    const buffer = new Uint8Array(300_000).fill(1);
    await part.write(buffer);
    buffer.fill(2);
    await part.commit();
    assert((await readFile(join(folder, "x"))).every((byte) => byte === 1));
  });
});

test("nothing is left of a discarded file, and discarding twice is harmless", async () => {
  await withFolder(async (folder) => {
    const part = await PartFile.create(folder, "x", false);
    await part.write(new Uint8Array(600_000));
    await part.discard();
    await part.discard();
    assert.deepEqual(await readdir(folder), []);
  });
});

test("an existing file, folder or dangling link is not replaced", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "file"), "old");
    await mkdir(join(folder, "folder"));
    await symlink("nowhere", join(folder, "link"));
    for (const name of ["file", "folder", "link"]) {
      await assert.rejects(PartFile.create(folder, name, false), hasCode("FILE_EXISTS"));
    }
    await assert.rejects(PartFile.create(folder, "folder", true), hasCode("FILE_EXISTS"));
    assert.deepEqual((await readdir(folder)).sort(), ["file", "folder", "link"]);
    assert.equal(await readFile(join(folder, "file"), "utf8"), "old");
  });
});

test("a file that comes into being meanwhile is not replaced either", async () => {
  await withFolder(async (folder) => {
    const part = await PartFile.create(folder, "x", false);
    await part.write(new TextEncoder().encode("new"));
    await writeFile(join(folder, "x"), "old");
    await assert.rejects(part.commit(), hasCode("FILE_EXISTS"));
    await part.discard();
    assert.deepEqual(await readdir(folder), ["x"]);
    assert.equal(await readFile(join(folder, "x"), "utf8"), "old");
  });
});

test("overwriting replaces a file whole, and a link instead of what it points to", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "target"), "target");
    await symlink("target", join(folder, "x"));
    const part = await PartFile.create(folder, "x", true);
    await part.write(new TextEncoder().encode("new"));
    assert.equal(await readFile(join(folder, "x"), "utf8"), "target");
    await part.commit();
    assert.equal(await readFile(join(folder, "x"), "utf8"), "new");
    assert.equal(await readFile(join(folder, "target"), "utf8"), "target");
  });
});

test("the longest name leaves room for the hidden one", async () => {
  await withFolder(async (folder) => {
    for (const name of ["n".repeat(255), "\u{1f4c4}".repeat(63)]) {
      const part = await PartFile.create(folder, name, false);
      await part.commit();
      await stat(join(folder, name));
    }
  });
});

test("a folder that is none is named with the reason", async () => {
  await withFolder(async (folder) => {
    await assert.rejects(
      PartFile.create(join(folder, "missing"), "x", false),
      (error: unknown) =>
        hasCode("FILE_IO")(error) && /missing.*no such file or folder/.test(String(error)),
    );
  });
});

/** Runs with another `datasync` of all files. */
async function withSync(
  folder: string,
  sync: (real: () => Promise<void>) => Promise<void>,
  act: () => Promise<void>,
): Promise<void> {
  const handle = await open(join(folder, "probe"), "w");
  const methods = Object.getPrototypeOf(handle) as { datasync(this: FileHandle): Promise<void> };
  await handle.close();
  await unlink(join(folder, "probe"));
  const real = methods.datasync;
  methods.datasync = function () {
    return sync(() => real.call(this));
  };
  try {
    await act();
  } finally {
    methods.datasync = real;
  }
}

const MIB = new Uint8Array(1_048_576).fill(7);

test("a large file goes to the disk while it comes, not only behind its last byte", async () => {
  await withFolder(async (folder) => {
    let syncs = 0;
    await withSync(folder, (real) => (syncs++, real()), async () => {
      const part = await PartFile.create(folder, "large", false);
      for (let count = 0; count < 3; count++) await part.write(MIB);
      assert.equal(syncs, 0);
      for (let count = 0; count < 9; count++) await part.write(MIB);
      assert.ok(syncs >= 1 && syncs <= 3, `${syncs} times`);
      assert.equal((await stat(await part.commit())).size, 12 * MIB.length);
    });
  });
});

test("a disk that loses what it took fails the file, although a later word of it is good", async () => {
  await withFolder(async (folder) => {
    const fails = () => Promise.reject(Object.assign(new Error("input/output"), { code: "EIO" }));
    await withSync(folder, fails, async () => {
      const part = await PartFile.create(folder, "large", false);
      for (let count = 0; count < 6; count++) await part.write(MIB);
      await assert.rejects(part.commit(), { code: "FILE_IO" });
      await part.discard();
      assert.deepEqual(await readdir(folder), []);
    });
  });
});
