import { Counter, type LabelValues, type Registry } from '@prometheus-io/client';

/** One series of a counter. To count is to add to `count`. */
export interface Tally {
  count: number;
}

/**
 * A counter whose series are plain numbers until it is read: the library looks a series up by its labels
 * at each increment, which costs as much as the rest together.
 *
 * @returns makes a series, which begins at 0; it is made once
 */
export function createTallies<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[],
): (labels: LabelValues<Label>) => Tally {
  const series: { labels: LabelValues<Label>; tally: Tally; told: number }[] = [];
  const counter = new Counter<Label>({
    ...{ name, help, labelNames: [...labelNames], registers: [registry] },
    collect() {
      for (const each of series) {
        const { count } = each.tally;
        counter.inc(each.labels, count - each.told);
        each.told = count;
      }
    },
  });
  return (labels) => {
    const tally = { count: 0 };
    series.push({ labels, tally, told: 0 });
    return tally;
  };
}
