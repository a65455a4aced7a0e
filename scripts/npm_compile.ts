/**
 * The sources as JavaScript and declarations that Node 20 and TypeScript's NodeNext read.
 *
 * @module
 */

import ts from "typescript";
import { fileURLToPath } from "node:url";

/** What {@link compile} reads and writes. */
export interface Compilation {
  /** Folder of the sources, with a slash at the end. */
  readonly root: URL;
  /** Folder to write into, with a slash at the end. */
  readonly out: URL;
  /** Sources, relative to `root`, with forward slashes. */
  readonly paths: readonly string[];
  /** False leaves the types unchecked: what comes out is the same, in a fraction of the time. */
  readonly check: boolean;
}

function compilerOptions({ root, out }: Compilation): ts.CompilerOptions {
  return {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    // Node 20 has no more than ES2023 of the library; the DOM part gives Web Streams, WebSocket and URL their types.
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"],
    types: ["node"],
    rewriteRelativeImportExtensions: true,
    declaration: true,
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noImplicitOverride: true,
    isolatedDeclarations: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    skipLibCheck: true,
    resolveJsonModule: true,
    rootDir: fileURLToPath(root),
    outDir: fileURLToPath(out),
    newLine: ts.NewLineKind.LineFeed,
  };
}

/** The name of what a source becomes. */
export function compiledName(path: string): string {
  return path.replace(/\.ts$/, ".js");
}

/**
 * The compiler leaves `.ts` in the specifiers of declarations. It finds `x.d.ts` for `./x.ts` itself, but other readers
 * (Deno reading an npm package, bundlers of types) look for a file of that name, find none, and see no types.
 */
const declarationSpecifiers: ts.TransformerFactory<ts.SourceFile | ts.Bundle> = (context) => {
  const { factory } = context;
  function renamed<T extends ts.Node>(node: T | undefined): T | ts.StringLiteral | undefined {
    if (node === undefined || !ts.isStringLiteral(node) || !/^\.\.?\//.test(node.text)) return node;
    return factory.createStringLiteral(compiledName(node.text));
  }
  function visit(node: ts.Node): ts.Node {
    if (ts.isImportDeclaration(node)) {
      return factory.updateImportDeclaration(
        node,
        node.modifiers,
        node.importClause,
        renamed(node.moduleSpecifier) ?? node.moduleSpecifier,
        node.attributes,
      );
    }
    if (ts.isExportDeclaration(node)) {
      return factory.updateExportDeclaration(
        node,
        node.modifiers,
        node.isTypeOnly,
        node.exportClause,
        renamed(node.moduleSpecifier),
        node.attributes,
      );
    }
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const literal = renamed(node.argument.literal) ?? node.argument.literal;
      return factory.updateImportTypeNode(
        node,
        factory.updateLiteralTypeNode(node.argument, literal),
        node.attributes,
        node.qualifier,
        node.typeArguments === undefined
          ? undefined
          : ts.visitNodes(node.typeArguments, visit, ts.isTypeNode),
        node.isTypeOf,
      );
    }
    return ts.visitEachChild(node, visit, context);
  }
  return (file) => visit(file) as ts.SourceFile;
};

/** Gives a declaration what it needs of the library: projects without it, and without Node's types, would not compile. */
function withLibrary(path: string, text: string): string {
  if (!path.endsWith(".d.ts") || !/\b(?:AsyncDisposable|asyncDispose)\b/.test(text)) return text;
  return `/// <reference lib="esnext.disposable" />\n${text}`;
}

/** Compiles. Returns what the compiler has to say against the sources: "" when they compiled. */
export function compile(compilation: Compilation): string {
  const { root, out, paths, check } = compilation;
  const program = ts.createProgram(
    paths.map((path) => fileURLToPath(new URL(path, root))),
    compilerOptions(compilation),
  );
  // Emitting a program with errors can crash the compiler, so what is wrong is said first.
  let diagnostics = check ? ts.getPreEmitDiagnostics(program) : [];
  if (diagnostics.length === 0) {
    // What an older build left behind would be published too.
    try {
      Deno.removeSync(out, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    const write: ts.WriteFileCallback = (path, text, mark) =>
      ts.sys.writeFile(path, withLibrary(path, text), mark);
    diagnostics = program.emit(undefined, write, undefined, false, {
      afterDeclarations: [declarationSpecifiers],
    }).diagnostics;
  }
  return ts.formatDiagnostics(ts.sortAndDeduplicateDiagnostics(diagnostics), {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => fileURLToPath(root),
    getNewLine: () => "\n",
  });
}
