// Errors in a mini-program's source, with file and line.

/** One error in the source; `toString` is what the terminal shows. */
export class CompileError extends Error {
  /**
   * @param {string} file relative to the app's folder
   * @param {number} line counted from 1; 0 where no line can be named
   * @param {string} words
   */
  constructor(file, line, words) {
    super(`${file}${line ? `:${line}` : ""}: ${words}`);
    this.name = "CompileError";
  }
}

/**
 * The line where a piece of text first occurs.
 * @param {string} source
 * @param {string} piece
 */
export function lineOf(source, piece) {
  const at = source.indexOf(piece);
  return at < 0 ? 0 : source.slice(0, at).split("\n").length;
}
