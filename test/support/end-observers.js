/** Ends the observers that a test file left: prom-client observes garbage collection for ever, and what it counts in with it. */
import { PerformanceObserver } from 'node:perf_hooks';
import { afterAll } from '@jest/globals';

const { observe } = PerformanceObserver.prototype;
const begun = new Set();

PerformanceObserver.prototype.observe = function (options) {
  begun.add(this);
  observe.call(this, options);
};

afterAll(() => {
  PerformanceObserver.prototype.observe = observe;
  begun.forEach((observer) => {
    observer.disconnect();
  });
});
