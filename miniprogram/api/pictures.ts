/** The server names its own pictures by path; these functions add the server's address. */
import { BASE_URL } from '../config/env'
import type { Picture } from './shapes'

export const pictureAt = (url: string): string => (url.startsWith('/') ? BASE_URL + url : url)

/** The record with an absolute picture URL. */
export const pictured = <T extends { avatar_url: string | null }>(one: T): T =>
  one.avatar_url ? { ...one, avatar_url: pictureAt(one.avatar_url) } : one

/** A question, or an entry of the wrong-answer book, with the absolute URL of its picture. */
export const illustrated = <T extends { picture?: Picture }>(one: T): T =>
  one.picture ? { ...one, picture: { ...one.picture, url: pictureAt(one.picture.url) } } : one

/** An activity with the absolute URL of its poster. */
export const postered = <T extends { poster: string | null }>(one: T): T =>
  one.poster ? { ...one, poster: pictureAt(one.poster) } : one

/** The user's own record with both picture URLs absolute. */
export const picturedSelf = <T extends { avatar_url: string | null; avatar_preview_url: string | null }>(one: T): T => {
  const shown = pictured(one)
  return shown.avatar_preview_url ? { ...shown, avatar_preview_url: pictureAt(shown.avatar_preview_url) } : shown
}
