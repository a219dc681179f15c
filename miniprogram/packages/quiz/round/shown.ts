/** The page of one contest: its figures, and what the user may do next. */
import type { Contest, ContestMe, ContestRules } from '../../../api/shapes'
import { sayEnd, sayInstant } from '../../../logic/dates'
import { saySpan } from '../../../logic/figures'
import { fill } from '../../../logic/fill'
import { standingOf } from '../../../logic/standing'
import type { words } from '../../../texts/index'

type Words = ReturnType<typeof words<'round'>>
type Common = ReturnType<typeof words<'common'>>

export function shownOf(contest: Contest, now: number, t: Words, c: Common) {
  const { title, state, opens_at, closes_at, rules, me } = contest
  const paper = state === 'open' ? (me?.open_attempt_id ?? '') : ''
  return {
    title,
    facts: [
      fill(t.questions, { count: rules.question_count }),
      fill(t.limit, { span: saySpan(rules.paper_seconds) }),
      ...(rules.seconds_per_question ? [fill(t.each, { count: rules.seconds_per_question })] : []),
      fill(t.full, { count: rules.max_score }),
    ],
    window: fill(t.window, { opens: sayInstant(opens_at, now), closes: sayEnd(closes_at, now) }),
    paper,
    endsAt: paper ? now + (me?.open_remaining_ms ?? 0) : 0,
    ...standingOf(me, c),
    ...groupsOf(rules, me, state, t),
    warmUp: '',
    ...dayOf(state, paper, me?.attempts_left_today ?? rules.papers_per_day, t),
    ...gateOf(rules, me, state, t),
    ...(contest.paused && state === 'open' && !paper ? { today: t.paused, action: '', warmUp: '' } : {}),
    board: state === 'closed' ? t.final_board : t.board,
  }
}

/** The next possible action; none after the last attempt. */
function dayOf(state: Contest['state'], paper: string, left: number, t: Words) {
  if (state !== 'open') return { today: t[state], action: '' }
  if (paper) return { today: t.paper_open, action: t.go_on }
  return left > 0
    ? { today: fill(t.left_today, { count: left }), action: t.start }
    : { today: t.none_left, action: '' }
}

/** The groups to choose from before the first paper, and the chosen one after it. */
function groupsOf({ divisions }: ContestRules, me: ContestMe | null, state: Contest['state'], t: Words) {
  const own = divisions.find(({ key }) => key === me?.division)
  const choices = own || state !== 'open' ? [] : divisions
  return {
    divisions: choices.map(({ key, title }) => ({ value: key, label: title })),
    own: own ? fill(t.own_division, { title: own.title }) : '',
  }
}

/** The warm-up that is missing before the first paper; without it there is no start button. */
function gateOf({ warm_up_questions: count }: ContestRules, me: ContestMe | null, state: Contest['state'], t: Words) {
  const left = me ? me.warm_up_left : (count ?? 0)
  if (!count || left === 0 || state !== 'open') return {}
  return { warmUp: fill(t.warm_up, { count, left }), action: '' }
}
