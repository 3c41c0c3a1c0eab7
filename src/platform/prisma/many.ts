/**
 * An array parameter, for statements about many things at once. The planner must not see how long it is: it would find a
 * better plan for each length and make a new one every time, which costs several times what the statement does.
 */
export function many(parameter: number, type: string): string {
  return `(SELECT $${String(parameter)}::${type}[])::${type}[]`;
}
