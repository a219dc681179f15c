/** Message about a picture that is not public yet, or is no longer public. */
import type { Profile } from '../../../api/shapes'
import type { words } from '../../../texts/index'

type Words = ReturnType<typeof words<'profile'>>

export function noteOf(state: Profile['avatar_state'], t: Words): string {
  const notes = {
    none: '',
    shown: '',
    checking: t.avatar_waits,
    refused: t.avatar_refused,
    unchecked: t.avatar_unchecked,
    unreadable: t.avatar_unreadable,
  }
  return notes[state]
}
