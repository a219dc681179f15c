import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { words } from '../../miniprogram/texts/index'
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

test('a template is written in words of the catalogue alone', () => {
  const han = /\p{Script=Han}/u
  for (const name of every.filter((one) => one.endsWith('.wxml'))) {
    // The keys of a judgement are the server's own.
    assert.doesNotMatch(read(name).replaceAll("'正确'", ''), han, name)
  }
})

test('a language that is not whole speaks Chinese where it has no words', () => {
  for (const section of Object.keys(zh) as Section[]) {
    const own = za[section] ?? {}
    assert.deepEqual(words('za', section), { ...zh[section], ...own })
    assert.deepEqual(words('zh', section), zh[section])
  }
  assert.equal(words('za', 'settings').language_za, 'Vahcuengh')
  assert.equal(words('za', 'home').start, zh.home.start)
})
