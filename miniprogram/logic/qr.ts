/**
 * QR codes of version 2 (25 × 25) with error correction Q, in alphanumeric mode: up to 29
 * characters of digits, capital letters and ` $%*+-./:`. That holds a ticket code with modules large
 * enough for old scanners, and still reads with a quarter of it covered.
 *
 * Source: ISO/IEC 18004, QR Code bar code symbology specification.
 */

const SIZE = 25
const DATA_WORDS = 22
const CHECK_WORDS = 22
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'
export const MOST_SIGNS = 29

type Grid = (boolean | null)[][]

/** The dark modules of the code of a text, row by row, without the quiet zone. */
export function qrOf(text: string): boolean[][] {
  const words = dataWords(text)
  const bits = bitsOf([...words, ...checkWords(words)])
  const grid = emptyGrid()
  drawFrame(grid)
  const free = freeModules(grid)
  const masked = MASKS.map((mask, number) => {
    const made = grid.map((row) => [...row])
    free.forEach(([row, column], at) => setModule(made, row, column, (bits[at] ?? false) !== mask(row, column)))
    drawFormat(made, number)
    return made as boolean[][]
  })
  return masked.reduce((best, each) => (penalty(each) < penalty(best) ? each : best))
}

function dataWords(text: string): number[] {
  const values = [...text].map((sign) => ALPHABET.indexOf(sign))
  if (values.length > MOST_SIGNS || values.includes(-1)) throw new Error('not a text for this code')
  // Mode 0010, then the length in nine bits, then pairs in eleven bits.
  const bits = [...binary(2, 4), ...binary(values.length, 9)]
  for (let at = 0; at < values.length; at += 2) {
    const [one, other] = [values[at] as number, values[at + 1]]
    bits.push(...(other === undefined ? binary(one, 6) : binary(one * 45 + other, 11)))
  }
  bits.push(...binary(0, Math.min(4, DATA_WORDS * 8 - bits.length)))
  while (bits.length % 8 > 0) bits.push(false)
  const words = Array.from({ length: bits.length / 8 }, (_, at) => numberOf(bits.slice(at * 8, at * 8 + 8)))
  for (let pad = 0xec; words.length < DATA_WORDS; pad ^= 0xec ^ 0x11) words.push(pad)
  return words
}

const binary = (value: number, length: number): boolean[] =>
  Array.from({ length }, (_, at) => ((value >> (length - 1 - at)) & 1) === 1)
const numberOf = (bits: boolean[]): number => bits.reduce((sum, bit) => sum * 2 + (bit ? 1 : 0), 0)
const bitsOf = (words: number[]): boolean[] => words.flatMap((word) => binary(word, 8))

/** A product in the field of 256 elements with the polynomial 0x11d. */
function product(one: number, other: number): number {
  let sum = 0
  for (let bit = 7; bit >= 0; bit -= 1) {
    sum = (sum << 1) ^ ((sum >> 7) * 0x11d)
    if ((other >> bit) & 1) sum ^= one
  }
  return sum
}

/** The Reed-Solomon check words: the remainder of the division by the generator. */
function checkWords(words: number[]): number[] {
  let generator = [1]
  for (let root = 1, at = 0; at < CHECK_WORDS; at += 1, root = product(root, 2)) {
    const longer = [...generator, 0]
    generator = longer.map((value, index) => value ^ product(index > 0 ? (generator[index - 1] as number) : 0, root))
  }
  const rest = new Array<number>(CHECK_WORDS).fill(0)
  for (const word of words) {
    const factor = word ^ (rest.shift() as number)
    rest.push(0)
    rest.forEach((value, at) => (rest[at] = value ^ product(generator[at + 1] as number, factor)))
  }
  return rest
}

const emptyGrid = (): Grid => Array.from({ length: SIZE }, () => new Array<boolean | null>(SIZE).fill(null))

function setModule(grid: Grid, row: number, column: number, dark: boolean): void {
  const line = grid[row]
  if (line && column >= 0 && column < SIZE) line[column] = dark
}

/** Finder, timing and alignment patterns, and the modules of the format bits, light until those are drawn. */
function drawFrame(grid: Grid): void {
  for (let at = 0; at < SIZE; at += 1) {
    setModule(grid, 6, at, at % 2 === 0)
    setModule(grid, at, 6, at % 2 === 0)
  }
  drawFormat(grid, 0)
  for (const [row, column] of [[3, 3], [3, SIZE - 4], [SIZE - 4, 3]] as const) drawRings(grid, row, column, 4, [2, 4])
  drawRings(grid, SIZE - 7, SIZE - 7, 2, [1])
}

/** Nested squares round a module; `light` are the distances of the light ones. */
function drawRings(grid: Grid, row: number, column: number, reach: number, light: number[]): void {
  for (let down = -reach; down <= reach; down += 1) {
    for (let right = -reach; right <= reach; right += 1) {
      const far = Math.max(Math.abs(down), Math.abs(right))
      setModule(grid, row + down, column + right, !light.includes(far))
    }
  }
}

/** The fifteen bits of level Q (11) and mask, twice, and the module that is always dark. */
function drawFormat(grid: Grid, mask: number): void {
  const level = (3 << 3) | mask
  let rest = level
  for (let at = 0; at < 10; at += 1) rest = (rest << 1) ^ ((rest >> 9) * 0x537)
  const bits = ((level << 10) | rest) ^ 0x5412
  for (let at = 0; at < 15; at += 1) {
    const dark = ((bits >> at) & 1) === 1
    setModule(grid, at < 6 ? at : at < 8 ? at + 1 : SIZE - 15 + at, 8, dark)
    setModule(grid, 8, at < 8 ? SIZE - 1 - at : at < 9 ? 7 : 14 - at, dark)
  }
  setModule(grid, SIZE - 8, 8, true)
}

/** The modules without a pattern, in the order of the bits: two columns at a time, up and down. */
function freeModules(grid: Grid): [number, number][] {
  const found: [number, number][] = []
  for (let right = SIZE - 1, upward = true; right > 0; right -= 2, upward = !upward) {
    if (right === 6) right -= 1
    for (let step = 0; step < SIZE; step += 1) {
      const row = upward ? SIZE - 1 - step : step
      for (const column of [right, right - 1]) if (grid[row]?.[column] === null) found.push([row, column])
    }
  }
  return found
}

const MASKS: ((row: number, column: number) => boolean)[] = [
  (row, column) => (row + column) % 2 === 0,
  (row) => row % 2 === 0,
  (_, column) => column % 3 === 0,
  (row, column) => (row + column) % 3 === 0,
  (row, column) => (Math.floor(row / 2) + Math.floor(column / 3)) % 2 === 0,
  (row, column) => ((row * column) % 2) + ((row * column) % 3) === 0,
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2 === 0,
  (row, column) => (((row + column) % 2) + ((row * column) % 3)) % 2 === 0,
]

/** The penalty of a mask, for what could mislead a scanner: runs, squares, look-alikes of the finder,
 * imbalance. */
function penalty(grid: boolean[][]): number {
  const columns = grid.map((_, at) => grid.map((row) => row[at] as boolean))
  const lines = [...grid, ...columns].map((line) => line.map((dark) => (dark ? '1' : '0')).join(''))
  const dark = grid.flat().filter(Boolean).length
  const uneven = Math.floor(Math.abs((dark * 100) / SIZE ** 2 - 50) / 5)
  return lines.reduce((sum, line) => sum + runs(line) + lookalikes(line), 0) + squares(grid) + uneven * 10
}

const runs = (line: string): number => (line.match(/0{5,}|1{5,}/g) ?? []).reduce((sum, run) => sum + run.length - 2, 0)

function lookalikes(line: string): number {
  let found = 0
  for (let at = 0; at <= line.length - 11; at += 1) {
    const part = line.slice(at, at + 11)
    if (part === '10111010000' || part === '00001011101') found += 40
  }
  return found
}

function squares(grid: boolean[][]): number {
  let found = 0
  for (let row = 0; row < SIZE - 1; row += 1) {
    for (let column = 0; column < SIZE - 1; column += 1) {
      const four = [grid[row]?.[column], grid[row]?.[column + 1], grid[row + 1]?.[column], grid[row + 1]?.[column + 1]]
      if (four.every((dark) => dark === four[0])) found += 3
    }
  }
  return found
}

/** Light modules round the code. Source: ISO/IEC 18004 asks for four. */
const QUIET = 4

/** The code of a text as an SVG of black squares; drawn sharply at any size. */
export function qrSvg(text: string): string {
  const side = SIZE + 2 * QUIET
  const bars = qrOf(text).flatMap((line, row) =>
    [...line.map((dark) => (dark ? '1' : '0')).join('').matchAll(/1+/g)].map(
      (run) => `M${(run.index ?? 0) + QUIET} ${row + QUIET}h${run[0].length}v1h-${run[0].length}z`,
    ),
  )
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${side * 20}" height="${side * 20}" viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges">` +
    `<rect width="${side}" height="${side}" fill="#ffffff"/><path fill="#000000" d="${bars.join('')}"/></svg>`
  )
}
