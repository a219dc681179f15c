/** The telephone number of the campaign. */
import type { Campaign } from '../api/shapes'

/** The operator's number, or the one in the notice when the operator has none. */
export const phoneOf = ({ operator, phone }: Pick<Campaign, 'operator' | 'phone'>): string => operator.phone || (phone ?? '')
