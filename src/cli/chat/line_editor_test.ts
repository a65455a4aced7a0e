import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { textWidth } from "../text.ts";
import { LineEditor } from "./line_editor.ts";

const WIDE = 60;

/** The line after these keys, with `|` where the cursor stands; all characters one column wide. */
function typed(...keys: string[]): string {
  const editor = new LineEditor();
  for (const key of keys) editor.feed(key);
  const { text, column } = editor.view(WIDE);
  return `${text.slice(0, column)}|${text.slice(column)}`;
}

test("the keys of a shell move, insert and delete", () => {
  const left = "\x1b[D";
  const cases: [string, string[]][] = [
    ["ab|", ["ab"]],
    ["a|", ["ab", "\x7f"]],
    ["aX|b", ["ab", left, "X"]],
    ["|ab", ["ab", "\x01"]],
    ["ab|", ["ab", "\x01", "\x05"]],
    ["|b", ["ab", "\x1b[H", "\x1b[3~"]],
    ["|", ["one two", "\x15"]],
    ["one |", ["one two", "\x17"]],
    ["a|", ["abc", left, left, "\x0b"]],
    ["a|c", ["abc", left, "\b"]],
    ["a|", ["ab", left, "\x04"]],
    ["a b|", ["a\tb"]],
    // Sequences in parts, unknown ones, and Alt with a key.
    ["aX|b", ["ab", "\x1b", "[", "D", "X"]],
    ["ab|", ["a", "\x1b[1;5P", "\x1b[200~", "\x1bq", "\x00", "b"]],
    ["a|b", ["ab", "\x1bOD"]],
  ];
  for (const [line, keys] of cases) assert.equal(typed(...keys), line, JSON.stringify(keys));
});

test("lines, interrupts and the end come out in order", () => {
  const editor = new LineEditor();
  assert.deepEqual(editor.feed("one\rtwo\nx\x04\x03"), [
    { type: "line", text: "one" },
    { type: "line", text: "two" },
    { type: "interrupt" },
  ]);
  // Ctrl-D behind the last character deletes nothing and ends nothing.
  assert.equal(editor.view(WIDE).text, "x");
  assert.deepEqual(editor.feed("\x15\x04"), [{ type: "end" }]);
});

test("earlier lines come back, and the line that was being typed with them", () => {
  const editor = new LineEditor();
  const [up, down] = ["\x1b[A", "\x1b[B"];
  editor.feed("one\rtwo\rtwo\rdraft");
  const shown = [up, up, up, down, down, down].map((key) => {
    editor.feed(key);
    return editor.view(WIDE).text;
  });
  assert.deepEqual(shown, ["two", "one", "one", "two", "draft", "draft"]);
});

test("what people see as one character is one to the keys", () => {
  const editor = new LineEditor();
  editor.feed("e\u0301\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u6f22");
  assert.deepEqual(editor.view(WIDE).column, 1 + 2 + 2);
  editor.feed("\x7f\x7f");
  assert.deepEqual(editor.view(WIDE), { text: "e\u0301", column: 1 });
  editor.feed("\x7f");
  assert.deepEqual(editor.view(WIDE), { text: "", column: 0 });
});

test("a line stops growing at what a message may hold", () => {
  const editor = new LineEditor();
  editor.feed(`${"x".repeat(4095)}\u00e9y`);
  const [line] = editor.feed("\r");
  assert.deepEqual(line, { type: "line", text: "x".repeat(4095) });
});

test("the view fits its columns, whatever was typed, and the cursor is in it", () => {
  const key = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("\x1b[D", "\x1b[C", "\x01", "\x05", "\x7f", "\x0b", "\x17", "\u6f22", "x"),
  );
  fc.assert(fc.property(fc.array(key), fc.integer({ min: 4, max: 30 }), (keys, columns) => {
    const editor = new LineEditor();
    for (const item of keys) editor.feed(item);
    const { text, column } = editor.view(columns);
    const segments = [...new Intl.Segmenter().segment(text)];
    const width = segments.reduce(
      (sum, { segment }) => sum + Math.min(2, textWidth(segment)),
      0,
    );
    assert(width <= columns, `${width} columns of ${columns}`);
    assert(column >= 0 && column < columns, `cursor at ${column} of ${columns}`);
  }));
});
