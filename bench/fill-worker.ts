import { workerData } from 'node:worker_threads';
import { fillKeys, type Organization } from './fill.ts';

/** Fills a database beside whatever else is being prepared; started as a worker. */

export interface FillGiven {
  readonly file: string;
  readonly organization: Organization;
  readonly from: number;
  readonly to: number;
}

const { file, organization, from, to } = workerData as FillGiven;
fillKeys(file, organization, from, to);
