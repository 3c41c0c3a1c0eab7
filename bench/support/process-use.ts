import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Failure } from '../../tools/stack/failure.js';

let ticksPerSecond: number | undefined;

/** Processor time that a process has used since it started, in user and kernel mode, in milliseconds. */
export function cpuMs(pid: number): number {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  // The name in parentheses may hold anything; after it, the fields are numbers: see proc(5).
  const fields = readProc(pid, 'stat').replace(/^.*\)/s, '').trim().split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1_000;
}

/** Memory of a process that is in RAM now, in MB (10^6 bytes). */
export function rssMb(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB/m.exec(readProc(pid, 'status')) ?? [];
  return (Number(kibibytes) * 1_024) / 1e6;
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, 'utf8');
  } catch (error) {
    throw new Failure(`The benchmarks read /proc, which is Linux: ${String(error)}`);
  }
}
