/** How large everything is drawn: WeChat's own font size, and the elder mode on top of it. */

export interface Look {
  elder: boolean
  klass: string
  style: string
}

const ORDINARY_PX = 16
/** From here on the ordinary layout gets tight: the elder one takes over by itself. */
const ELDER_FROM = 1.2
const MOST = 1.5

/** `chosen` is the reader's own switch; null follows the font size alone. */
export function lookOf(chosen: boolean | null, fontSizePx: number): Look {
  const scale = Math.min(MOST, Math.max(1, fontSizePx / ORDINARY_PX))
  const elder = chosen ?? scale >= ELDER_FROM
  return {
    elder,
    klass: elder ? 'look look-elder' : 'look',
    style: `--scale:${scale.toFixed(2)}`,
  }
}
