// What a run costs: CPU time and memory of each process from /proc (Linux), bytes on the wire from each node's metrics.
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** A reading of one process. */
export interface ResourceReading {
  readonly cpuMs: number;
  readonly residentMiB: number;
  /** Application bytes sent to peers. */
  readonly sentBytes: number;
}

const TICKS_PER_SECOND = 100;

/** Reads a process and, when it has one, its metrics page. */
export async function readResources(pid: number, metricsUrl: string | undefined): Promise<ResourceReading> {
  return { ...readProcess(pid), sentBytes: metricsUrl === undefined ? 0 : await readSentBytes(metricsUrl) };
}

/** What this ran on, for the record. */
export function describeHardware(): Readonly<Record<string, unknown>> {
  const [first] = cpus();
  return { cpu: first?.model ?? 'unknown', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version };
}

function readProcess(pid: number): { cpuMs: number; residentMiB: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const resident = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return { cpuMs: (ticks * 1_000) / TICKS_PER_SECOND, residentMiB: Number(resident ?? 0) / 1_024 };
  } catch {
    return { cpuMs: 0, residentMiB: 0 }; // No /proc here, or the process is gone.
  }
}

async function readSentBytes(metricsUrl: string): Promise<number> {
  try {
    const page = await (await fetch(metricsUrl)).text();
    return Number(/^coppice_network_sent_bytes(?:\{[^}]*\})? (\S+)$/m.exec(page)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
