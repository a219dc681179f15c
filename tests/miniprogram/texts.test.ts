import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fallbacks, words } from '../../miniprogram/texts/index'
import type { Section } from '../../miniprogram/texts/index'
import { za } from '../../miniprogram/texts/za'
import { zh } from '../../miniprogram/texts/zh'

const ROOT = path.resolve('miniprogram')

function files(folder: string): string[] {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name)
    return entry.isDirectory() ? files(name) : [name]
  })
}

const every = files(ROOT).filter((name) => /\.(ts|wxml)$/.test(name) && !name.includes('/texts/'))
const read = (name: string): string => fs.readFileSync(name, 'utf8')

/** The section that a page dresses itself in, and all the text of its folder. */
const pages = every
  .filter((name) => name.endsWith('index.ts'))
  .flatMap((name) => {
    const section = /dressed\('(\w+)'\)/.exec(read(name))?.[1]
    const folder = path.dirname(name)
    return section ? [{ section: section as Section, text: files(folder).map(read).join('\n') }] : []
  })

const named = (text: string, of: string): string[] =>
  [...text.matchAll(new RegExp(`(?:(?<![\\w.])|data\\.)${of}\\.(\\w+)`, 'g'))].map((match) => match[1] ?? '')

test('every word that a template or a page names exists', () => {
  for (const { section, text } of pages) {
    const known = Object.keys(zh[section])
    for (const key of named(text, 't')) assert.ok(known.includes(key), `${section}.${key} is missing`)
    for (const key of named(text, 'c')) assert.ok(key in zh.common, `common.${key} is missing`)
  }
  const components = every.filter((name) => name.includes('/components/')).map(read).join('\n')
  for (const key of named(components, 'words')) assert.ok(key in zh.common, `common.${key} is missing`)
})

/** Chosen by a value of the server or of a closed list, as `t[kind]`. */
const CHOSEN: Partial<Record<Section, string[]>> = {
  answer: ['saved', 'kept_here'],
  round: ['upcoming', 'closed'],
  practice: ['single', 'multiple', 'judge'],
  board: ['region', 'city', 'county', 'unit', 'audience', 'group', 'total', 'week', 'day'],
  profile: ['youth', 'farmer', 'worker', 'official', 'elder'],
  subscriptions: ['quiz', 'lecture', 'caravan', 'video', 'volunteer'],
}

test('every word is used', () => {
  const whole = every.map(read).join('\n')
  for (const section of Object.keys(zh) as Section[]) {
    if (section === 'common') continue
    const text = pages.filter((page) => page.section === section).map((page) => page.text).join('\n')
    const used = new Set([...named(text, 't'), ...(CHOSEN[section] ?? []), 'title'])
    const idle = Object.keys(zh[section]).filter((key) => !used.has(key))
    assert.deepEqual(idle, [], `${section}: words that nobody says`)
  }
  const common = new Set([...named(whole, 'c'), ...named(whole, 'words')])
  assert.deepEqual(Object.keys(zh.common).filter((key) => !common.has(key)), [])
})

test('a template is written in words of the catalogue alone', () => {
  const han = /\p{Script=Han}/u
  for (const name of every.filter((one) => one.endsWith('.wxml'))) {
    // The keys of a judgement are the server's own.
    assert.doesNotMatch(read(name).replaceAll("'正确'", ''), han, name)
  }
})

test('Zhuang has no key that Chinese lacks, and both have the same places', () => {
  const places = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort()
  for (const [section, own] of Object.entries(za)) {
    for (const [key, text] of Object.entries(own ?? {})) {
      const chinese = (zh[section as Section] as Record<string, string>)[key]
      assert.ok(chinese !== undefined, `${section}.${key} is in no page`)
      assert.deepEqual(places(text as string), places(chinese))
    }
  }
})

test('switching to Zhuang leaves no key without a word; what is said in Chinese is printed', () => {
  for (const section of Object.keys(zh) as Section[]) {
    for (const [key, text] of Object.entries(words('za', section))) {
      assert.ok(text !== '', `${section}.${key} is empty`)
    }
  }
  const all = Object.values(zh).reduce((sum, section) => sum + Object.keys(section).length, 0)
  const missing = fallbacks()
  console.log(`Zhuang: ${all - missing.length} of ${all} wordings; in Chinese until translated:`)
  console.log(missing.join(' '))
  assert.ok(missing.length < all)
})
