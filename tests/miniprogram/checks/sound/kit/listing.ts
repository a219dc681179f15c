import { next } from '../logic/next'

export function listing() {
  return {
    reload() {
      return next(1)
    },
  }
}
