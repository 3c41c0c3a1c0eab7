const SEPARATORS = /[-:._\s]/g;

/**
 * What hardware ids are compared by: `aa:bb:cc`, `AA-BB-CC` and `aabbcc` are one. The database derives it by the function
 * of the same name in the migration; a test compares the two.
 */
export function hardwareKey(hardwareId: string): string {
  return hardwareId.toUpperCase().replaceAll(SEPARATORS, '');
}
