/** Whether `error` is a violated unique constraint (SQLSTATE 23505), seen through Prisma or through SQL. */
export function isUniqueViolation(error: unknown, column?: string): boolean {
  if (!(error instanceof Error)) {
    return false;
  }
  const { code, constraint, meta } = error as Error & { code?: string; constraint?: string; meta?: unknown };
  if (code !== 'P2002' && code !== '23505') {
    return false;
  }
  return column === undefined || JSON.stringify([constraint, meta]).includes(column);
}
