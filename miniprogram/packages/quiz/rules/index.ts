/** The complete rules of a contest, as the server words them from the rule set in force. */
import { quiz } from '../../../api/index'
import type { RuleSentence } from '../../../api/shapes'
import { sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { dress, dressed } from '../../../kit/dress'
import { load } from '../../../kit/load'
import { wire } from '../../../platform/wx'

Page({
  data: {
    ...dressed('rules'),
    state: 'loading',
    problem: '',
    id: '',
    title: '',
    version: '',
    sentences: [] as RuleSentence[],
  },

  onLoad(query: Record<string, string | undefined>) {
    dress(this, 'rules')
    this.setData({ id: query.id ?? '' })
    void this.read()
  },

  async read() {
    await load(this, async () => {
      const { title, sentences, rules_version, valid_from } = await quiz.rules(this.data.id)
      const since = sayInstant(valid_from, wire.now())
      return { title, sentences, version: fill(this.data.t.version, { version: rules_version, since }) }
    })
  },
})
