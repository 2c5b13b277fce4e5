import { gateway, type Settings } from './processes.ts';

/** What `gateway doctor` says. */

export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'problem';
  readonly what: string;
  readonly remedy?: string;
}

export interface Examined {
  readonly code: number | null;
  readonly problems: number;
  readonly warnings: number;
  readonly findings: readonly Finding[];
  /** What is not well, by what was looked at. */
  readonly wrong: readonly (readonly [check: string, status: string])[];
  /** What was found of this. */
  of(check: string): readonly Finding[];
}

export async function examine(env: Settings): Promise<Examined> {
  const { code, stdout, stderr } = await gateway(env, 'doctor', '--json');
  if (stderr !== '') throw new Error(`gateway doctor says: ${stderr}`);
  const said = JSON.parse(stdout) as Omit<Examined, 'code' | 'wrong' | 'of'>;
  return {
    ...{ code, ...said },
    wrong: said.findings
      .filter(({ status }) => status !== 'ok')
      .map(({ check, status }) => [check, status] as const),
    of: (check) => said.findings.filter((finding) => finding.check === check),
  };
}
