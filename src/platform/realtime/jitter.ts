/** A random number of seconds between two, to the hundredth: many that wait do not come back at one moment. */
export function secondsBetween(least: number, most: number): number {
  return Math.round((least + Math.random() * (most - least)) * 100) / 100;
}
