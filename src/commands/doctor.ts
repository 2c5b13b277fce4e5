import { Command } from 'commander';
import { examine } from '../doctor/doctor.ts';
import type { Finding } from '../doctor/finding.ts';
import { print } from './output.ts';
import { printable } from './remote/screen.ts';

export const doctorCommand = () =>
  new Command('doctor')
    .description('say what is wrong with settings, files and database, and what to do')
    .option('--json', 'print JSON: problems, warnings, findings')
    .addHelpText(
      'after',
      `
It only reads, also beside a gateway that serves. Ends with
  0  nothing is wrong; there may be warnings
  1  there are problems`,
    )
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await examine();
      const count = (status: Finding['status']) =>
        findings.filter((finding) => finding.status === status).length;
      const counts = { problems: count('problem'), warnings: count('warning') };
      const width = Math.max(...findings.map(({ check }) => check.length));
      print(json, { ...counts, findings }, [
        ...findings.flatMap((finding) => linesOf(finding, width)),
        `${counts.problems} problems, ${counts.warnings} warnings`,
      ]);
      if (counts.problems > 0) process.exitCode = 1;
    });

function linesOf({ check, status, what, remedy }: Finding, width: number): string[] {
  const [first = '', ...more] = what.split('\n').map(printable);
  const indent = ' '.repeat('problem'.length + 2 + width + 2);
  return [
    `${status.padEnd('problem'.length)}  ${check.padEnd(width)}  ${first}`,
    ...more.map((line) => `${indent}${line}`),
    ...(remedy === undefined ? [] : [`${indent}→ ${printable(remedy)}`]),
  ];
}
