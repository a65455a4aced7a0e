import assert from "node:assert/strict";
import { join, resolve, sep } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { SttError } from "../../errors.ts";
import { checkFileName, fileNameFault } from "./file_name.ts";

const REFUSED: readonly string[] = [
  "",
  ".",
  "..",
  "...",
  "/",
  "/etc/passwd",
  "../x",
  "a/../../x",
  "a/b",
  "a\\b",
  "..\\x",
  "\\\\host\\share",
  "C:\\x",
  "x\0.txt",
  "x\n.txt",
  "x\r",
  "\x1b[31mred",
  "x\x7f",
  "x\x85y",
  "x\u2028y",
  "exe.\u202egpj.txt",
  "\u2066x",
  "x\ud800",
  "x.",
  "x ",
  "x. .",
  "CON",
  "con",
  "Con.txt",
  "CON .txt",
  "nul.tar.gz",
  "aux",
  "PRN.",
  "COM1",
  "com9.log",
  "COM\u00b2",
  "LPT1",
  "lpt0.x",
  "CONIN$",
  "conout$.txt",
  "x".repeat(256),
  "\u00e9".repeat(128),
];

const ALLOWED: readonly string[] = [
  "x",
  "report.pdf",
  ".profile",
  "..x",
  "a b",
  "r\u00e9sum\u00e9.pdf",
  "\u65e5\u672c\u8a9e",
  "\u{1f4c4}",
  "console",
  "con1",
  "common.ts",
  "COM",
  "null",
  "x".repeat(255),
  "\u00e9".repeat(127),
  "-rf",
  "~",
];

test("names that would leave the folder, or mean something else, are refused", () => {
  for (const name of REFUSED) {
    assert.throws(
      () => checkFileName(name, false),
      (error: unknown) => error instanceof SttError && error.code === "FILE_NAME",
      JSON.stringify(name),
    );
  }
});

test("plain names pass", () => {
  for (const name of ALLOWED) checkFileName(name, true);
});

test("Windows refuses some characters more", () => {
  for (const name of ["a:b", "what?", "a*", "<x>", '"x"', "a|b"]) {
    assert.equal(fileNameFault(name, false), undefined);
    assert.notEqual(fileNameFault(name, true), undefined);
  }
});

test("whatever passes is one name directly in the folder", () => {
  const folder = resolve("inbox");
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), (name) => {
    if (fileNameFault(name, false) !== undefined) return;
    assert.equal(join(folder, name), folder + sep + name);
  }));
});
