/**
 * Counts what runs from the first test file of a process to its last. Jest switches that on and off for each file, for which
 * V8 walks the whole heap and drops its compiled code: more than it costs to load a small file. The figures are the same.
 */
import { CoverageInstrumenter } from 'collect-v8-coverage';

/** While it counts, V8 holds all code of finished files, about 85 MB each. It counts anew beyond this, which takes it a second. */
const HEAP_LIMIT = 800_000_000;

const { startInstrumenting } = CoverageInstrumenter.prototype;
/** The first one of this process, which stays connected to V8. */
let counting;

const take = async () => (await counting.postSession('Profiler.takePreciseCoverage')).result;

async function forgetFinishedFiles() {
  await counting.postSession('Profiler.stopPreciseCoverage');
  // What is still on the heap when it starts again would be held again.
  await counting.postSession('HeapProfiler.collectGarbage');
  await counting.postSession('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
}

CoverageInstrumenter.prototype.startInstrumenting = async () => {
  if (!counting) {
    counting = new CoverageInstrumenter();
    await startInstrumenting.call(counting);
  } else if (process.memoryUsage().heapUsed > HEAP_LIMIT) {
    await forgetFinishedFiles();
  } else {
    // What ran between two files belongs to none.
    await take();
  }
};

CoverageInstrumenter.prototype.stopInstrumenting = take;
