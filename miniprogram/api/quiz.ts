/** Contests, papers, boards, practice and the wrong-answer book. */
import type { Client } from './client'
import { illustrated, pictured } from './pictures'
import type {
  Answers,
  Attempt,
  Board,
  Contest,
  Mistake,
  Page,
  PaperRecord,
  Practice,
  PracticeVerdict,
  Question,
  Result,
  RulesPage,
} from './shapes'

export function quiz(client: Client) {
  return {
    contests: () => client.call<Page<Contest>>('GET', '/contests', { who: 'either' }),
    contest: (id: string) => client.call<Contest>('GET', `/contests/${id}`, { who: 'either' }),
    rules: (id: string) =>
      client.call<RulesPage>('GET', `/contests/${id}/rules`, { who: 'anyone' }),
    begin: (id: string, division: string, key: string) =>
      client.call<Attempt>('POST', `/contests/${id}/attempts`, {
        body: division ? { division } : {},
        key,
      }),
    attempt: async (id: string) => {
      const attempt = await client.call<Attempt>('GET', `/attempts/${id}`)
      return { ...attempt, questions: attempt.questions.map(illustrated) }
    },
    records: (contest: string, after?: string) =>
      client.call<Page<PaperRecord>>('GET', '/me/attempts', { query: { contest, after, limit: 20 } }),
    appeal: (id: string, reason: string, key: string) =>
      client.call<void>('POST', `/attempts/${id}/appeal`, { body: { reason }, key }),
    next: async (id: string, key: string) =>
      illustrated(await client.call<Question>('POST', `/attempts/${id}/next`, { body: {}, key })),
    save: (id: string, answers: Answers) =>
      client.call<void>('PUT', `/attempts/${id}/answers`, { body: { answers } }),
    submit: (id: string, answers: Answers, key: string) =>
      client.call<Result>('POST', `/attempts/${id}/submission`, { body: { answers }, key }),
    board: async (id: string, scope: string, period: string) => {
      const board = await client.call<Board>('GET', `/contests/${id}/leaderboard`, {
        who: 'either',
        query: { scope, period, limit: 50 },
      })
      const me = board.me && { ...board.me, around: board.me.around.map(pictured) }
      return { ...board, items: board.items.map(pictured), me }
    },
    ...practiceOf(client),
  }
}

/** Practice, the wrong-answer book, and reports of questions. */
function practiceOf(client: Client) {
  return {
    practise: async (count: number, from_mistakes: boolean, key: string) => {
      const dealt = await client.call<Practice>('POST', '/practice', { body: { count, from_mistakes }, key })
      return { ...dealt, questions: dealt.questions.map(illustrated) }
    },
    practiseAnswer: (id: string, question_id: string, answer: string[]) =>
      client.call<PracticeVerdict>('POST', `/practice/${id}/answers`, {
        body: { question_id, answer },
      }),
    mistakes: async (after?: string) => {
      const page = await client.call<Page<Mistake>>('GET', '/me/mistakes', { query: { after, limit: 20 } })
      return { ...page, items: page.items.map(illustrated) }
    },
    report: (question: string, reason: string, key: string) =>
      client.call<void>('POST', `/questions/${question}/reports`, { body: { reason }, key }),
  }
}
