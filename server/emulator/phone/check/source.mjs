/** Facts about one TypeScript file that the checks need, read from its syntax tree. */

import ts from "typescript";

/**
 * @param {string} file
 * @param {string} text
 * @returns {{
 *   imports: {from: string, line: number, typeOnly: boolean}[],
 *   strings: {text: string, line: number, whole: boolean}[],
 *   globals: {name: string, line: number}[],
 *   handlers: Set<string>,
 *   fields: Set<string>,
 *   mixed: string[],
 * }} `mixed` names the modules whose members are spread into, or are behaviors of, the definition;
 *   `whole` is false for the first part of a template literal with substitutions.
 */
export function source(file, text) {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const line = (node) => tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
  const facts = { imports: [], strings: [], globals: [], handlers: new Set(), fields: new Set() };
  const origin = new Map();
  const mixed = new Set();
  const walk = (node) => {
    if (isImport(node)) noteImport(node, line, facts, origin);
    else if (isRequired(node))
      facts.imports.push({ from: node.arguments[0].text, line: line(node) });
    else if (ts.isStringLiteralLike(node))
      facts.strings.push({ text: node.text, line: line(node), whole: true });
    else if (ts.isTemplateHead(node))
      facts.strings.push({ text: node.text, line: line(node), whole: false });
    else if (isGlobalUse(node)) facts.globals.push({ name: node.text, line: line(node) });
    if (ts.isObjectLiteralExpression(node)) noteMembers(node, facts);
    for (const name of mixedIn(node)) if (origin.has(name)) mixed.add(origin.get(name));
    if (!isImport(node)) ts.forEachChild(node, walk);
  };
  walk(tree);
  return { ...facts, mixed: [...mixed] };
}

const isImport = (node) =>
  (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier;

const isRequired = (node) =>
  ts.isCallExpression(node) &&
  (node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.text === "require") &&
  node.arguments.length > 0 &&
  ts.isStringLiteral(node.arguments[0]);

function noteImport(node, line, facts, origin) {
  const from = node.moduleSpecifier.text;
  const clause = node.importClause;
  const typeOnly = Boolean(clause?.isTypeOnly ?? node.isTypeOnly);
  facts.imports.push({ from, line: line(node), typeOnly });
  const named = clause?.namedBindings;
  const names = named && ts.isNamedImports(named) ? named.elements.map((one) => one.name.text) : [];
  if (named && ts.isNamespaceImport(named)) names.push(named.name.text);
  if (clause?.name) names.push(clause.name.text);
  for (const name of names) origin.set(name, from);
}

/** Whether `wx` is used as a value: not as a property, a key or a type. */
function isGlobalUse(node) {
  if (!ts.isIdentifier(node) || node.text !== "wx") return false;
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  return !(ts.isPropertyAssignment(parent) && parent.name === node);
}

const LITERAL = new Set([
  ts.SyntaxKind.StringLiteral,
  ts.SyntaxKind.NumericLiteral,
  ts.SyntaxKind.TrueKeyword,
  ts.SyntaxKind.FalseKeyword,
  ts.SyntaxKind.NullKeyword,
  ts.SyntaxKind.ArrayLiteralExpression,
  ts.SyntaxKind.ObjectLiteralExpression,
]);

/** Records every named member as a field; callable members of a definition also as handlers. */
function noteMembers(literal, facts) {
  const offers = isDefinition(literal);
  for (const member of literal.properties) {
    const name = member.name && "text" in member.name ? member.name.text : null;
    if (name === null) continue;
    facts.fields.add(name);
    const plain = ts.isPropertyAssignment(member) && LITERAL.has(member.initializer.kind);
    if (offers && !plain) facts.handlers.add(name);
  }
}

/** Whether this literal defines a page, a component or a shared part of one. */
function isDefinition(literal) {
  const holder = held(literal);
  if (ts.isPropertyAssignment(holder) && holder.name.text === "methods")
    return isDefinition(holder.parent);
  if (ts.isReturnStatement(holder)) return isTopLevel(holder.parent.parent);
  if (ts.isArrowFunction(holder)) return isTopLevel(holder);
  if (ts.isCallExpression(holder)) return isTopLevel(callOutside(holder));
  return isTopLevel(holder);
}

/** The node around an expression, without parentheses and type assertions. */
function held(node) {
  const parent = node.parent;
  const wraps =
    ts.isParenthesizedExpression(parent) ||
    ts.isAsExpression(parent) ||
    ts.isSatisfiesExpression(parent);
  return wraps ? held(parent) : parent;
}

const callOutside = (call) => (ts.isCallExpression(held(call)) ? callOutside(held(call)) : call);

function isTopLevel(node) {
  if (ts.isFunctionDeclaration(node) || ts.isExportAssignment(node))
    return ts.isSourceFile(node.parent);
  const holder = held(node);
  if (ts.isExpressionStatement(holder)) return ts.isSourceFile(holder.parent);
  const variable = ts.isVariableDeclaration(node) ? node : holder;
  return ts.isVariableDeclaration(variable) && ts.isSourceFile(variable.parent.parent.parent);
}

/** The names whose members a literal includes: `...name`, `...name(…)`, `behaviors: [name]`. */
function mixedIn(node) {
  if (ts.isSpreadAssignment(node)) return [rootName(node.expression)];
  if (ts.isPropertyAssignment(node) && node.name.text === "behaviors")
    return ts.isArrayLiteralExpression(node.initializer)
      ? node.initializer.elements.map(rootName)
      : [];
  return [];
}

function rootName(node) {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isCallExpression(node) || ts.isPropertyAccessExpression(node))
    return rootName(node.expression);
  return "";
}
