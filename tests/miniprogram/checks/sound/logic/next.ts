export const next = (count: number): number => count + 1
