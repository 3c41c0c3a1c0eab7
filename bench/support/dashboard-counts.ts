/** What a group of dashboards has heard. */
export interface DashboardCounts {
  /** By name of the message, how many each dashboard heard. */
  readonly heard: Readonly<Record<string, readonly number[]>>;
  /** Messages that came a second time. */
  readonly repeated: number;
  /** Connections that ended. */
  readonly dropped: number;
}
