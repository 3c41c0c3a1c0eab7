import { describe, expect, it } from '@jest/globals';
import type { JobName } from '../../contracts/jobs.js';
import { JobRegistry } from './job-registry.js';

const nothing = () => Promise.resolve();

describe('JobRegistry', () => {
  it('has the handler of each job, and knows which run by themselves', () => {
    const jobs = new JobRegistry();
    jobs.register('send_mail', { queue: 'mail', everyMs: null }, nothing);
    jobs.register('purge_mails', { queue: 'maintenance', everyMs: 1_000 }, nothing);
    expect(jobs.get('send_mail')).toBe(nothing);
    expect(jobs.repeating()).toEqual([['purge_mails', 1_000]]);
  });

  it('refuses a second handler for a job', () => {
    const jobs = new JobRegistry();
    jobs.register('purge_mails', { queue: 'maintenance', everyMs: 1_000 }, nothing);
    expect(() => {
      jobs.register('purge_mails', { queue: 'maintenance', everyMs: 1_000 }, nothing);
    }).toThrow('two handlers');
  });

  it('answers an unknown name with an error, so that the job fails and is seen', () => {
    expect(() => new JobRegistry().get('of_a_newer_release' as JobName)).toThrow('of_a_newer_release');
  });
});
