/** Parses JSON with the line of every part, so that faults can name it. */

import ts from "typescript";

/**
 * @param {string} file named in the fault when the text is not JSON
 * @param {string} text
 * @returns {{value: any, line: (path: (string|number)[]) => number, broken: {line: number, text: string}[]}}
 */
export function json(file, text) {
  const tree = ts.parseJsonText(file, text);
  const root = tree.statements[0]?.expression;
  const line = (position) => tree.getLineAndCharacterOfPosition(position).line + 1;
  const broken = (tree.parseDiagnostics ?? []).map((one) => ({
    line: line(one.start),
    text: `no valid JSON: ${ts.flattenDiagnosticMessageText(one.messageText, " ")}`,
  }));
  if (broken.length > 0 || root === undefined) return { value: {}, line: () => 1, broken };
  return {
    value: JSON.parse(text),
    line: (path) => line(at(root, path).getStart(tree)),
    broken,
  };
}

/** The node at a path, or its nearest existing ancestor. */
function at(node, path) {
  if (path.length === 0) return node;
  const [head, ...rest] = path;
  if (ts.isArrayLiteralExpression(node)) {
    const item = node.elements[head];
    return item ? at(item, rest) : node;
  }
  if (!ts.isObjectLiteralExpression(node)) return node;
  const property = node.properties.find((one) => one.name.text === head);
  if (!property) return node;
  return rest.length === 0 ? property : at(property.initializer, rest);
}
