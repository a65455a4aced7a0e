/**
 * Reads one TypeScript file for what scripts/check_layers.ts judges: its imports, the global names it uses, and a few
 * kinds of syntax.
 *
 * @module
 */

import ts from "typescript";

/** One import, export-from, dynamic import or import type. */
export interface ImportFound {
  specifier: string;
  /** `type` imports are erased; `dynamic` ones are loaded on first use. */
  kind: "static" | "type" | "dynamic";
  line: number;
}

/** A name or a kind of syntax, with the line it stands on. */
export interface NameFound {
  name: string;
  line: number;
}

/** What {@link scanModule} finds. */
export interface ModuleScan {
  imports: ImportFound[];
  /** Identifiers that are read and not declared anywhere in the file. */
  globals: NameFound[];
  /** `using`, `async`, `any`, `enum`, `namespace`, `Math.random`, `import.meta.main`, `empty catch`, `@ts-…`. */
  syntax: NameFound[];
  /** String literals that name an npm package with a version, such as `npm:ws@8.0.0`. */
  npmSpecifiers: NameFound[];
}

/** Whether the identifier is a name that something else gives meaning to: a member, a key, a label, a declaration. */
function isOwnName(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  if (ts.isShorthandPropertyAssignment(parent)) return false;
  if (ts.isBindingElement(parent)) return parent.initializer !== node;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return true;
  if (ts.isMetaProperty(parent) || ts.isLabeledStatement(parent)) return true;
  if (ts.isBreakOrContinueStatement(parent) || ts.isImportClause(parent)) return true;
  if (ts.isNamespaceImport(parent) || ts.isNamedTupleMember(parent)) return true;
  return "name" in parent && parent.name === node;
}

/** The names that the file binds: variables, parameters, functions, classes, types and imports. */
function declaredNames(file: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  function add(name: ts.Node | undefined): void {
    if (name === undefined) return;
    if (ts.isIdentifier(name)) names.add(name.text);
    else if (ts.isObjectBindingPattern(name) || ts.isArrayBindingPattern(name)) {
      for (const element of name.elements) if (ts.isBindingElement(element)) add(element.name);
    }
  }
  function visit(node: ts.Node): void {
    if (
      ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isFunctionDeclaration(node) ||
      ts.isFunctionExpression(node) || ts.isClassDeclaration(node) || ts.isClassExpression(node) ||
      ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) ||
      ts.isTypeParameterDeclaration(node) || ts.isImportSpecifier(node) ||
      ts.isImportClause(node) || ts.isNamespaceImport(node) || ts.isEnumDeclaration(node)
    ) add(node.name);
    ts.forEachChild(node, visit);
  }
  visit(file);
  return names;
}

function hasAsyncModifier(node: ts.Node): boolean {
  return ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.AsyncKeyword);
}

/** Whether every name that the clause brings in is a type. */
function importsOnlyTypes(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) {
    if (node.isTypeOnly) return true;
    const clause = node.exportClause;
    return clause !== undefined && ts.isNamedExports(clause) && clause.elements.length > 0 &&
      clause.elements.every(({ isTypeOnly }) => isTypeOnly);
  }
  return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

/** Scans the text of one module. */
export function scanModule(path: string, text: string): ModuleScan {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const declared = declaredNames(file);
  const scan: ModuleScan = { imports: [], globals: [], syntax: [], npmSpecifiers: [] };
  function lineOf(node: ts.Node): number {
    return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
  }
  function syntax(name: string, node: ts.Node): void {
    scan.syntax.push({ name, line: lineOf(node) });
  }
  function visit(node: ts.Node): void {
    const line = lineOf(node);
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      const from = node.moduleSpecifier;
      if (from !== undefined && ts.isStringLiteral(from)) {
        const kind = importsOnlyTypes(node) ? "type" : "static";
        scan.imports.push({ specifier: from.text, kind, line });
      }
    } else if (ts.isImportTypeNode(node)) {
      const argument = node.argument;
      if (ts.isLiteralTypeNode(argument) && ts.isStringLiteral(argument.literal)) {
        scan.imports.push({ specifier: argument.literal.text, kind: "type", line });
      }
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const argument = node.arguments[0];
      const specifier = argument !== undefined && ts.isStringLiteralLike(argument)
        ? argument.text
        : "(computed)";
      scan.imports.push({ specifier, kind: "dynamic", line });
    } else if (ts.isVariableDeclarationList(node)) {
      const kind = node.flags & ts.NodeFlags.BlockScoped;
      if (kind === ts.NodeFlags.Using || kind === ts.NodeFlags.AwaitUsing) syntax("using", node);
    } else if (ts.isAwaitExpression(node) || hasAsyncModifier(node)) {
      syntax("async", node);
    } else if (ts.isForOfStatement(node) && node.awaitModifier !== undefined) {
      syntax("async", node);
    } else if (node.kind === ts.SyntaxKind.AnyKeyword) {
      syntax("any", node);
    } else if (ts.isEnumDeclaration(node)) {
      syntax("enum", node);
    } else if (ts.isModuleDeclaration(node)) {
      syntax("namespace", node);
    } else if (ts.isCatchClause(node) && node.block.statements.length === 0) {
      syntax("empty catch", node);
    } else if (ts.isPropertyAccessExpression(node)) {
      const whole = `${node.expression.getText(file)}.${node.name.text}`;
      if (whole === "Math.random" || whole === "import.meta.main") syntax(whole, node);
    } else if (ts.isStringLiteralLike(node)) {
      if (node.text.startsWith("npm:")) scan.npmSpecifiers.push({ name: node.text, line });
    } else if (ts.isIdentifier(node) && !isOwnName(node) && !declared.has(node.text)) {
      scan.globals.push({ name: node.text, line });
    }
    ts.forEachChild(node, visit);
  }
  visit(file);
  for (const match of text.matchAll(/@ts-(?:ignore|nocheck|expect-error)|deno-lint-ignore/g)) {
    const line = text.slice(0, match.index).split("\n").length;
    scan.syntax.push({ name: match[0], line });
  }
  return scan;
}
