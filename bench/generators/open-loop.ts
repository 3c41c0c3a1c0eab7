/** HTTP requests by a clock: see OpenLoopGenerator. */
import { answerQuestions } from '../support/generator-questions.js';
import type { LoadOutcome, LoadPlan, LoadRun } from '../support/open-loop/load-plan.js';
import { OpenLoopRun } from '../support/open-loop/open-loop-run.js';
import { RequestSource } from '../support/open-loop/request-source.js';

answerQuestions({
  send({ plan, run }: { plan: LoadPlan; run: LoadRun }): Promise<LoadOutcome> {
    return new OpenLoopRun(plan.url, new RequestSource(plan), run).outcome();
  },
});
