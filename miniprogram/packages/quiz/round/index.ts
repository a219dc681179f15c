/** One contest before a paper: its description, the attempts left today, the start button. */
import { quiz } from '../../../api/index'
import type { Contest, RuleSentence } from '../../../api/shapes'
import { contestOf } from '../../../logic/contests'
import { sayEnd, sayInstant } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { standingOf } from '../../../logic/standing'
import { mustAgree } from '../../../kit/consent'
import { dress, dressed } from '../../../kit/dress'
import { act, load } from '../../../kit/load'
import { freshKey, offerGroupShare, open, wire } from '../../../platform/wx'

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
        ...this.shown(contest),
        rules: rules.sentences.filter(({ name }) => SHORT.has(name)),
      }
    })
  },

  shown({ title, state, opens_at, closes_at, rules, me }: Contest) {
    const { t, c } = this.data
    const paper = state === 'open' ? (me?.open_attempt_id ?? '') : ''
    const now = wire.now()
    return {
      title,
      facts: [
        fill(t.questions, { count: rules.question_count }),
        fill(t.minutes, { count: Math.ceil(rules.paper_seconds / 60) }),
        ...(rules.seconds_per_question ? [fill(t.each, { count: rules.seconds_per_question })] : []),
        fill(t.full, { count: rules.max_score }),
      ],
      window: fill(t.window, { opens: sayInstant(opens_at, now), closes: sayEnd(closes_at, now) }),
      paper,
      endsAt: paper ? now + (me?.open_remaining_ms ?? 0) : 0,
      ...standingOf(me, c),
      ...this.day(state, paper, me?.attempts_left_today ?? rules.papers_per_day),
      board: state === 'closed' ? t.final_board : t.board,
    }
  },

  /** The next possible action; none after the last attempt. */
  day(state: Contest['state'], paper: string, left: number) {
    const { t } = this.data
    if (state !== 'open') return { today: t[state], action: '' }
    if (paper) return { today: t.paper_open, action: t.go_on }
    return left > 0 ? { today: fill(t.left_today, { count: left }), action: t.start } : { today: t.none_left, action: '' }
  },

  /** Starts a paper or resumes the open one, also one started on another phone. */
  async begin() {
    if (this.data.paper) return open(`/packages/quiz/answer/index?id=${this.data.paper}`)
    await act(this, async () => {
      await mustAgree()
      const { id } = await quiz.begin(this.data.id, this.data.key)
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
