import { cutText } from '../../shared/cut-text.js';

/** What is done to a reading before it is judged. */
export interface Tidying {
  /** A longer text is cut to this many UTF-16 units. */
  readonly cutTo?: number;
  /** A number with a fraction is rounded, or loses the fraction. */
  readonly whole?: 'rounded' | 'floored';
  /** What null stands for, where it is not left out. */
  readonly nullAs?: string;
}

/** A reading as it is judged and stored; undefined for null, which many serializers write for what they do not know. */
export function tidy(value: unknown, { cutTo, whole, nullAs }: Tidying): unknown {
  if (typeof value === 'string' && cutTo !== undefined) {
    return cutText(value, cutTo);
  }
  if (typeof value === 'number' && whole !== undefined) {
    // Minus zero is no value of its own: the addition makes it zero.
    return (whole === 'rounded' ? Math.round(value) : Math.floor(value)) + 0;
  }
  return value === null ? nullAs : value;
}
