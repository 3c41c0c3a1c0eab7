/**
 * The SQL of an array parameter, for a statement about several rows at once. The sub-select hides the length of the array
 * from the planner, which would otherwise find a better plan for each length and plan anew every time; that costs several
 * times what the statement does.
 */
export function arrayParam(parameter: number, type: string): string {
  return `(SELECT $${String(parameter)}::${type}[])::${type}[]`;
}
