/** Display size: WeChat's own font size, and elder mode on top of it. */

export interface Look {
  elder: boolean
  klass: string
  style: string
}

const ORDINARY_PX = 16
/** From this factor on the ordinary layout becomes too tight, so elder mode is switched on. */
const ELDER_FROM = 1.2
const MOST = 1.5

/** `chosen` is the user's own switch; null follows the font size. */
export function lookOf(chosen: boolean | null, fontSizePx: number): Look {
  const scale = Math.min(MOST, Math.max(1, fontSizePx / ORDINARY_PX))
  const elder = chosen ?? scale >= ELDER_FROM
  return {
    elder,
    klass: elder ? 'look look-elder' : 'look',
    style: `--scale:${scale.toFixed(2)}`,
  }
}
