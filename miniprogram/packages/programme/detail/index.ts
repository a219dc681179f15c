/** One programme: time, place, organisers, audience, description. */
import { programme } from '../../../api/index'
import type { Organiser, Programme } from '../../../api/shapes'
import { sayStretch } from '../../../logic/dates'
import { fill } from '../../../logic/fill'
import { dress, dressed } from '../../../kit/dress'
import { load } from '../../../kit/load'
import { open } from '../../../platform/wx'

interface Fact {
  name: string
  value: string
}

const named = (organisers: Organiser[], role: string): string =>
  organisers
    .filter((one) => one.role === role)
    .map((one) => one.name)
    .join('、')

/** The original wording of the notice, if this edition differs from it. */
const noticeOf = ({ notice_text, date_text, title }: Programme): string =>
  notice_text === [date_text, title].filter(Boolean).join(' ') ? '' : notice_text

Page({
  data: {
    ...dressed('detail'),
    state: 'loading',
    problem: '',
    slug: '',
    title: '',
    quiz: false,
    note: '',
    facts: [] as Fact[],
  },

  onLoad(query: Record<string, string | undefined>) {
    dress(this, 'detail')
    this.setData({ slug: query.slug ?? '' })
    void this.read()
  },

  async read() {
    await load(this, async () => {
      const one = await programme.one(this.data.slug)
      return {
        title: one.title,
        quiz: one.form === 'quiz',
        note: one.note ?? '',
        facts: this.facts(one),
      }
    })
  },

  facts(one: Programme): Fact[] {
    const { t } = this.data
    const every = [
      { name: t.dates, value: one.date_text ?? sayStretch(one.start, one.end) },
      { name: t.place, value: one.place ?? '' },
      { name: t.hosts, value: named(one.organisers, 'host') },
      { name: t.undertakers, value: named(one.organisers, 'undertaker') },
      { name: t.participants, value: one.participants.join('、') },
      { name: t.who, value: one.who.join('、') },
      { name: t.what, value: one.what.join('、') },
      { name: t.focus, value: one.focus.join('、') },
      { name: fill(t.notice, { year: one.notice_year }), value: noticeOf(one) },
    ]
    return every.filter(({ value }) => value !== '')
  },

  answer: () => open('/packages/quiz/round/index?id='),

  onShareAppMessage() {
    const { title, slug } = this.data
    return { title, path: `/packages/programme/detail/index?slug=${slug}` }
  },
})
