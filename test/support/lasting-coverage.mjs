/**
 * Counts what runs from the first test file of a process to its last. Jest switches that on and off for each file, for which
 * V8 walks the whole heap and drops its compiled code: more than it costs to load a small file. The figures are the same.
 */
import { CoverageInstrumenter } from 'collect-v8-coverage';

const { startInstrumenting } = CoverageInstrumenter.prototype;
/** The first one of this process, which stays connected to V8. */
let counting;

const take = async () => (await counting.postSession('Profiler.takePreciseCoverage')).result;

CoverageInstrumenter.prototype.startInstrumenting = async () => {
  if (counting) {
    // What ran between two files belongs to none.
    await take();
  } else {
    counting = new CoverageInstrumenter();
    await startInstrumenting.call(counting);
  }
};

CoverageInstrumenter.prototype.stopInstrumenting = take;
