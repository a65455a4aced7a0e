/**
 * Finds what can be changed in a source file: every comparison, every condition, every constant.
 *
 * @module
 */

import ts from "typescript";

/** What kind of place a mutant changes. */
export type MutantKind = "condition" | "comparison" | "logic" | "constant";

/** One change to one place of one file. */
export interface Mutant {
  /** Where in the text the changed expression begins and ends. */
  readonly start: number;
  readonly end: number;
  /** What stands there instead. */
  readonly text: string;
  readonly kind: MutantKind;
  /** Line of the place, from 1. */
  readonly line: number;
  /** Enclosing function, then the change: the same while lines above it move. Unique in the file. */
  readonly label: string;
}

const NEGATED: Readonly<Record<string, string>> = {
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
  "===": "!==",
  "!==": "===",
};

/** The same comparison with its boundary on the other side. */
const BOUNDARY: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };

function withoutParentheses(node: ts.Expression): ts.Expression {
  return ts.isParenthesizedExpression(node) ? withoutParentheses(node.expression) : node;
}

/** The expression whose truth decides at `node`; loops are not made endless, since that always shows. */
function conditionOf(
  node: ts.Node,
): { condition: ts.Expression; values: readonly string[] } | undefined {
  if (ts.isIfStatement(node)) return { condition: node.expression, values: ["true", "false"] };
  if (ts.isConditionalExpression(node)) {
    return { condition: node.condition, values: ["true", "false"] };
  }
  if (ts.isWhileStatement(node) || ts.isDoStatement(node)) {
    return { condition: node.expression, values: ["false"] };
  }
  if (ts.isForStatement(node) && node.condition !== undefined) {
    return { condition: node.condition, values: ["false"] };
  }
  return undefined;
}

/** Whether `node` names a property instead of being a value. */
function isPropertyName(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  return (ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent)) &&
    parent.name === node;
}

/** Declared names from the outside in: `Class.method`. */
function enclosingName(node: ts.Node): string {
  const names: string[] = [];
  for (let at: ts.Node | undefined = node; at !== undefined; at = at.parent) {
    if (ts.isConstructorDeclaration(at)) names.unshift("constructor");
    else if (
      (ts.isFunctionDeclaration(at) || ts.isClassDeclaration(at) || ts.isMethodDeclaration(at) ||
        ts.isGetAccessorDeclaration(at) || ts.isPropertyDeclaration(at) ||
        ts.isVariableDeclaration(at) && ts.isSourceFile(at.parent.parent.parent)) &&
      at.name !== undefined
    ) names.unshift(at.name.getText());
  }
  return names.join(".");
}

/** Numbers that `source` declares at its top level, by name. */
export function numericConstants(source: string): Set<string> {
  const file = ts.createSourceFile("constants.ts", source, ts.ScriptTarget.Latest, true);
  const names = new Set<string>();
  function isNumeric(node: ts.Expression): boolean {
    const bare = withoutParentheses(node);
    if (ts.isNumericLiteral(bare)) return true;
    if (ts.isIdentifier(bare)) return names.has(bare.text);
    if (ts.isPrefixUnaryExpression(bare)) return isNumeric(bare.operand);
    return ts.isBinaryExpression(bare) && isNumeric(bare.left) && isNumeric(bare.right);
  }
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (ts.isIdentifier(name) && initializer !== undefined && isNumeric(initializer)) {
        names.add(name.text);
      }
    }
  }
  return names;
}

/** A literal changed by one, away from its sign's side where it has one: the sentinel -1 becomes 0. */
function changedLiteral(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.TrueKeyword) return "false";
  if (node.kind === ts.SyntaxKind.FalseKeyword) return "true";
  if (ts.isBigIntLiteral(node)) return `${BigInt(node.text.slice(0, -1)) + 1n}n`;
  if (ts.isNumericLiteral(node)) return `${Number(node.text) + 1}`;
  if (
    ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.MinusToken &&
    ts.isNumericLiteral(node.operand)
  ) return `${1 - Number(node.operand.text)}`;
  return undefined;
}

/**
 * All mutants of `source`, by place.
 *
 * @param shared names of numbers that other files declare: where this file imports one, it counts as a constant
 */
export function findMutants(fileName: string, source: string, shared: Set<string>): Mutant[] {
  const file = ts.createSourceFile(fileName, source, ts.ScriptTarget.Latest, true);
  const found: Omit<Mutant, "label">[] = [];
  const labels: string[] = [];
  const decided = new Set<ts.Node>();
  const imported = new Set<string>();

  function add(node: ts.Node, text: string, kind: MutantKind): void {
    const start = node.getStart(file);
    const { line } = file.getLineAndCharacterOfPosition(start);
    found.push({ start, end: node.end, text, kind, line: line + 1 });
    const before = node.getText(file).replace(/\s+/g, " ");
    const owner = enclosingName(node);
    labels.push(`${owner === "" ? "" : `${owner}: `}${before} → ${text.replace(/\s+/g, " ")}`);
  }

  function visit(node: ts.Node): void {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node)) return;
    if (ts.isExportDeclaration(node)) return;
    if (ts.isImportDeclaration(node)) {
      const bindings = node.importClause?.namedBindings;
      if (bindings !== undefined && ts.isNamedImports(bindings)) {
        for (const { name } of bindings.elements) {
          if (shared.has(name.text)) imported.add(name.text);
        }
      }
      return;
    }
    // The words of a message are no behaviour.
    if (ts.isTemplateExpression(node)) return;

    const decision = conditionOf(node);
    if (decision !== undefined) {
      const condition = withoutParentheses(decision.condition);
      decided.add(condition);
      for (const value of decision.values) {
        if (condition.getText(file) !== value) add(condition, value, "condition");
      }
    }
    if (ts.isBinaryExpression(node)) {
      const operator = node.operatorToken.getText(file);
      const left = node.left.getText(file);
      const right = node.right.getText(file);
      const boundary = BOUNDARY[operator];
      const negated = NEGATED[operator];
      if (boundary !== undefined) add(node, `${left} ${boundary} ${right}`, "comparison");
      // A whole condition is already made true and false.
      if (negated !== undefined && !decided.has(node)) {
        add(node, `${left} ${negated} ${right}`, "comparison");
      }
      if (operator === "&&") add(node, `(${left}) || (${right})`, "logic");
      if (operator === "||") add(node, `(${left}) && (${right})`, "logic");
    }
    const literal = isPropertyName(node) ? undefined : changedLiteral(node);
    if (literal !== undefined) {
      if (!decided.has(node)) add(node, literal, "constant");
      return;
    }
    if (
      ts.isIdentifier(node) && imported.has(node.text) && !isPropertyName(node) &&
      !ts.isShorthandPropertyAssignment(node.parent)
    ) add(node, `(${node.text} + 1)`, "constant");
    ts.forEachChild(node, visit);
  }
  ts.forEachChild(file, visit);

  const seen = new Map<string, number>();
  return found.map((mutant, index) => {
    const label = labels[index] ?? "";
    const count = (seen.get(label) ?? 0) + 1;
    seen.set(label, count);
    return { ...mutant, label: count === 1 ? label : `${label} (${count})` };
  });
}
