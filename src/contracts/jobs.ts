/**
 * Work behind the requests, by name, with its input. The owner of a job adds it here by declaration merging, beside the
 * call that registers it with `JobRegistry`.
 */
// eslint-disable-next-line @typescript-eslint/consistent-indexed-object-style -- members are merged in
export interface Jobs {
  /** Deletes rows past their time: one job for each rule that a feature provides with `purgeRule`. */
  [purge: `purge_${string}`]: Record<string, never>;
}
export type JobName = keyof Jobs;
export type PurgeName = Extract<JobName, `purge_${string}`>;
