/**
 * Finds in the sources why a test is skipped: Deno's reports say only that it is.
 *
 * @module
 */

import ts from "typescript";
import type { SkippedTest } from "./test_report.ts";

/** The strings that `expression` can evaluate to, looking through conditionals, `||`, `??` and constants of the file. */
function stringsOf(expression: ts.Expression, constants: Map<string, ts.Expression>): string[] {
  if (ts.isStringLiteralLike(expression)) return [expression.text];
  if (ts.isTemplateExpression(expression)) return [expression.getText().slice(1, -1)];
  if (ts.isParenthesizedExpression(expression)) return stringsOf(expression.expression, constants);
  if (ts.isConditionalExpression(expression)) {
    return [
      ...stringsOf(expression.whenTrue, constants),
      ...stringsOf(expression.whenFalse, constants),
    ];
  }
  if (ts.isBinaryExpression(expression)) return stringsOf(expression.right, constants);
  if (ts.isIdentifier(expression)) {
    const value = constants.get(expression.text);
    constants.delete(expression.text);
    return value === undefined ? [] : stringsOf(value, constants);
  }
  return [];
}

/** The reasons of the `skip` options in `source`, by test name. A test named by an expression is found under "". */
export function skipReasons(source: string, fileName = "x_test.ts"): Map<string, string> {
  const file = ts.createSourceFile(fileName, source, ts.ScriptTarget.Latest, true);
  const constants = new Map<string, ts.Expression>();
  const reasons = new Map<string, string>();
  function collect(node: ts.Node): void {
    if (
      ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined
    ) constants.set(node.name.text, node.initializer);
    ts.forEachChild(node, collect);
  }
  function visit(node: ts.Node): void {
    if (ts.isCallExpression(node)) {
      const [name] = node.arguments;
      for (const argument of node.arguments) {
        if (!ts.isObjectLiteralExpression(argument)) continue;
        for (const property of argument.properties) {
          if (property.name === undefined || property.name.getText() !== "skip") continue;
          const value = ts.isPropertyAssignment(property) ? property.initializer : property.name;
          const texts = stringsOf(value as ts.Expression, new Map(constants));
          const key = name !== undefined && ts.isStringLiteralLike(name) ? name.text : "";
          if (texts.length > 0) reasons.set(key, texts.join(" or "));
        }
      }
    }
    ts.forEachChild(node, visit);
  }
  collect(file);
  visit(file);
  return reasons;
}

/** Properties of test fixtures that say why some of their tests are skipped. */
const REASON_PROPERTIES: readonly string[] = ["skip", "uncontrolled"];

/** Every text that such a property of any object in `source` can have. */
export function skipTexts(source: string, fileName = "x_test.ts"): string[] {
  const file = ts.createSourceFile(fileName, source, ts.ScriptTarget.Latest, true);
  const texts = new Set<string>();
  function visit(node: ts.Node): void {
    if (ts.isPropertyAssignment(node) && REASON_PROPERTIES.includes(node.name.getText())) {
      for (const text of stringsOf(node.initializer, new Map())) texts.add(text);
    }
    ts.forEachChild(node, visit);
  }
  visit(file);
  return [...texts];
}

/** Fills in the reasons of skipped tests that have none; `files` is where to look when a report names no file. */
export function explainSkips(skipped: SkippedTest[], files: string[]): void {
  for (const test of skipped) {
    if (test.reason !== "") continue;
    const last = test.name.split(" > ").at(-1) ?? "";
    for (const file of files.includes(test.file) ? [test.file] : files) {
      const reasons = skipReasons(Deno.readTextFileSync(file), file);
      const reason = reasons.get(last) ?? (file === test.file ? reasons.get("") : undefined);
      if (reason === undefined) continue;
      test.reason = reason;
      break;
    }
    if (test.reason !== "") continue;
    // Tests made by a function get their reason from elsewhere in the folder.
    const folder = test.file.slice(0, test.file.lastIndexOf("/") + 1);
    const texts = files.filter((file) => folder !== "" && file.startsWith(folder))
      .flatMap((file) => skipTexts(Deno.readTextFileSync(file), file));
    if (texts.length > 0) test.reason = `one of: ${[...new Set(texts)].join("; ")}`;
  }
}
