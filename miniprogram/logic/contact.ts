/** Whom people can call. */
import type { Campaign } from '../api/shapes'

/** The number that people may call: the operator's, or the notice's where the operator named none. */
export const phoneOf = ({ operator, phone }: Pick<Campaign, 'operator' | 'phone'>): string => operator.phone || (phone ?? '')
