/**
 * Text without the space around it, and no longer than `length` UTF-16 units. It never ends in the middle of a surrogate
 * pair: PostgreSQL takes no half of one.
 */
export function cutText(text: string, length: number): string {
  return text
    .trim()
    .slice(0, length)
    .replace(/[\ud800-\udbff]$/, '');
}
