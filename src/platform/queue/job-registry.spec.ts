import { describe, expect, it } from '@jest/globals';
import { JOB_NAMES, type JobName } from '../../contracts/jobs.js';
import { JobRegistry } from './job-registry.js';

const nothing = () => Promise.resolve();

describe('the register of jobs', () => {
  it('is complete when each job has a handler, and names those that have none', () => {
    const handlers = new JobRegistry();
    const [last = 'make_event_partitions', ...others] = JOB_NAMES;
    others.forEach((name) => {
      handlers.register(name, nothing);
    });
    expect(() => {
      handlers.assertComplete();
    }).toThrow(last);
    handlers.register(last, nothing);
    handlers.assertComplete();
  });

  it('refuses a second handler for a job', () => {
    const handlers = new JobRegistry();
    handlers.register('make_event_partitions', nothing);
    expect(() => {
      handlers.register('make_event_partitions', nothing);
    }).toThrow('two handlers');
  });

  it('answers a name that nobody knows with an error, so that the job fails and is seen', () => {
    expect(() => new JobRegistry().get('of_a_newer_release' as JobName)).toThrow('of_a_newer_release');
  });
});
