/** Blanks that Unicode counts as letters or symbols. */
const BLANKS = '\\u115f\\u1160\\u2800\\u3164\\uffa0';

/**
 * Text that shows: at least one character that is seen, none that controls, and none that turns the direction of what
 * stands beside it. Joiners may be part of it: scripts and pictures need them.
 */
export const VISIBLE = new RegExp(
  `^(?=.*[^\\s\\p{Cc}\\p{Cf}\\p{M}${BLANKS}])[^\\p{Cc}\\u202a-\\u202e\\u2066-\\u2069]*$`,
  'u',
);

/** What is said of other text, with `@Matches`. */
export const notVisible = { message: '$property must be visible text' };
