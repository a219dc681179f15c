/** One contest before a paper: its description, the attempts left today, the start button. */
import { quiz } from '../../../api/index'
import type { RuleSentence } from '../../../api/shapes'
import { contestOf } from '../../../logic/contests'
import { mustAgree } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { freshKey, offerGroupShare, open, say, wire } from '../../../platform/wx'
import { shownOf } from './shown'

/** The rules shown before the first question; the rules page has all of them. */
const SHORT = new Set(['per_day', 'points', 'timer', 'resume', 'no_reward'])

Page({
  data: {
    ...dressed('round'),
    state: 'loading',
    problem: '',
    busy: false,
    id: '',
    key: '',
    title: '',
    facts: [] as string[],
    window: '',
    today: '',
    paper: '',
    endsAt: 0,
    total: '',
    next: '',
    action: '',
    board: '',
    divisions: [] as { value: string; label: string }[],
    division: '',
    own: '',
    warmUp: '',
    rules: [] as RuleSentence[],
  },

  onLoad(query: Record<string, string | undefined>) {
    this.setData({ id: query.id ?? '' })
    offerGroupShare()
  },

  onShow() {
    dress(this, 'round')
    this.setData({ key: freshKey() })
    void this.read()
  },

  async read() {
    await load(this, async () => {
      const id = this.data.id || contestOf((await quiz.contests()).items)?.id
      if (!id) return { state: 'empty' }
      const [contest, rules] = await Promise.all([quiz.contest(id), quiz.rules(id)])
      return {
        id,
        ...shownOf(contest, wire.now(), this.data.t, this.data.c),
        rules: rules.sentences.filter(({ name }) => SHORT.has(name)),
      }
    })
  },

  pickDivision(event: WechatMiniprogram.CustomEvent<{ value: string }>) {
    this.setData({ division: event.detail.value })
  },

  /** Starts a paper or resumes the open one, also one started on another phone. */
  async begin() {
    const { paper, divisions, division, t } = this.data
    if (paper) return open(`/packages/quiz/answer/index?id=${paper}`)
    if (divisions.length > 0 && !division) return say(t.choose_division)
    await act(this, async () => {
      await mustAgree()
      const { id } = await quiz.begin(this.data.id, division, this.data.key)
      open(`/packages/quiz/answer/index?id=${id}`)
    })
  },

  rulesPage() {
    open(`/packages/quiz/rules/index?id=${this.data.id}`)
  },
  boards() {
    open(`/packages/quiz/board/index?id=${this.data.id}`)
  },
  records() {
    open(`/packages/quiz/records/index?id=${this.data.id}`)
  },
  practice: () => open('/packages/quiz/practice/index'),

  onShareAppMessage() {
    return { title: this.data.title, path: `/packages/quiz/round/index?id=${this.data.id}` }
  },
})
