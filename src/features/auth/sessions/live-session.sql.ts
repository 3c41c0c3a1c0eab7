/** The condition that the row `alias` of `sessions` is live: it has neither been ended nor expired. */
export function liveSessionSql(alias: string): string {
  return `${alias}.revoked_at IS NULL AND ${alias}.expires_at > now()`;
}
