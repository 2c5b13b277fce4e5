import type { Processes } from './processes.ts';
import type { Program } from './program.ts';
import type { Template } from './template.ts';
import type { Workload } from './workloads.ts';

/** How much is measured. */
export interface Extent {
  readonly quick: boolean;
  readonly rounds: number;
  /** How long a server is asked in a round. */
  readonly seconds: number;
  /** By how many requests it is warmed before the first, and for how long at the most. */
  readonly warmRequests: number;
  readonly warmSeconds: number;
  /** Credentials in the databases whose rows are throughputs. */
  readonly keys: number;
  readonly tokens: number;
  /** Of what the tables grow to. */
  readonly sizes: readonly number[];
  readonly logLevel: string;
}

/** What every measurement works with. */
export interface Setting {
  readonly processes: Processes;
  readonly template: Template;
  readonly extent: Extent;
  /** What the gateway executes for a request; looked at once, and held against what the floor executes. */
  programOf(workload: Workload, watching?: Watching): Promise<Program>;
  /** Whether a row is asked for. */
  wants(row: string): boolean;
  progress(text: string): void;
}

/**
 * Workloads by which it is seen what one costs and what several cost together, where that is not the
 * measured one itself: with tokens that are there, or with fewer ids.
 */
export type Watching = (tokens: readonly string[]) => {
  readonly one: Workload;
  readonly several: Workload;
};

/** A row of the result. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly floor: number | null;
  readonly peer: number | null;
  readonly peerName: string | null;
  readonly spread: {
    readonly value: Range;
    readonly floor: Range | null;
    readonly peer: Range | null;
  };
  /** CPU time that the process took for one, in microseconds. */
  readonly cpuUs?: {
    readonly value: number;
    readonly floor: number;
    readonly peer: number | null;
  };
  readonly durability: string;
  readonly peerDurability?: string;
  /** Rows of the table in which it was measured, where that is what is measured. */
  readonly rows?: number;
  readonly note?: string;
}

/** The least and the most of the rounds. */
export type Range = readonly [number, number];
