/** Pictures that the server names by their path alone lie on the server itself. */
import { BASE_URL } from '../config/env'

export const pictureAt = (url: string): string => (url.startsWith('/') ? BASE_URL + url : url)

/** Somebody with the picture where it can be fetched. */
export const pictured = <T extends { avatar_url: string | null }>(one: T): T =>
  one.avatar_url ? { ...one, avatar_url: pictureAt(one.avatar_url) } : one

/** The reader's own record with both pictures where they can be fetched. */
export const picturedSelf = <T extends { avatar_url: string | null; avatar_preview_url: string | null }>(one: T): T => {
  const shown = pictured(one)
  return shown.avatar_preview_url ? { ...shown, avatar_preview_url: pictureAt(shown.avatar_preview_url) } : shown
}
