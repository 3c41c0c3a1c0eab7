import { readFileSync } from 'node:fs';

export interface Stage {
  readonly name: string | undefined;
  /** An image, or an earlier stage. */
  readonly from: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly args: Readonly<Record<string, string>>;
  readonly copies: readonly Copy[];
  readonly runs: readonly string[];
  readonly command?: readonly string[];
  readonly healthcheck?: readonly string[];
  readonly exposed: readonly number[];
  readonly user?: string;
}

export interface Copy {
  /** The stage it comes from; the build's context unless given. */
  readonly from?: string;
  readonly sources: readonly string[];
  readonly target: string;
}

type Building = { -readonly [K in keyof Stage]: Stage[K] };

/** The stages of a Dockerfile, each with what it took over from the one it is based on. An unknown instruction fails. */
export function readDockerfile(path: string): readonly Stage[] {
  const stages: Building[] = [];
  for (const line of instructionsOf(readFileSync(path, 'utf8'))) {
    const [, word = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    const stage = stages.at(-1);
    const instruct = INSTRUCTIONS[word];
    if (word === 'FROM') {
      stages.push(newStage(rest, stages));
    } else if (stage && instruct) {
      instruct(stage, rest);
    } else {
      throw new Error(`This test does not play the instruction ${word} of the Dockerfile.`);
    }
  }
  return stages;
}

function instructionsOf(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  const whole = lines.join('\n').replaceAll(/\\\n\s*/g, '');
  return whole.split('\n').filter((line) => line.trim() !== '');
}

function newStage(rest: string, stages: readonly Building[]): Building {
  const [from = '', , name] = rest.split(/\s+/);
  const fresh = { workdir: '/', env: {}, args: {}, copies: [], runs: [], exposed: [] };
  return { ...(stages.find((stage) => stage.name === from) ?? fresh), from, name };
}

/** `ARG` of a build without arguments: their defaults, and `ENV` may name them. */
const INSTRUCTIONS: Readonly<Record<string, (stage: Building, rest: string) => void>> = {
  WORKDIR: (stage, rest) => (stage.workdir = rest),
  ARG: (stage, rest) => (stage.args = { ...stage.args, ...pairsOf(rest) }),
  ENV: (stage, rest) => {
    const filled = rest.replaceAll(/\$(\w+)/g, (_, name: string) => stage.args[name] ?? stage.env[name] ?? '');
    stage.env = { ...stage.env, ...pairsOf(filled) };
  },
  COPY: (stage, rest) => {
    const words = rest.split(/\s+/);
    const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
    const target = words.pop() ?? '';
    stage.copies = [...stage.copies, { sources: words, target, ...(from !== undefined && { from }) }];
  },
  RUN: (stage, rest) => (stage.runs = [...stage.runs, rest]),
  USER: (stage, rest) => (stage.user = rest),
  EXPOSE: (stage, rest) => (stage.exposed = rest.split(/\s+/).map(Number)),
  CMD: (stage, rest) => (stage.command = JSON.parse(rest) as string[]),
  HEALTHCHECK: (stage, rest) => {
    stage.healthcheck = JSON.parse(rest.slice(rest.indexOf('['))) as string[];
  },
};

function pairsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(/\s+/).map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]),
  );
}
