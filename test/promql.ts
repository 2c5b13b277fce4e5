import { parser } from '@prometheus-io/lezer-promql';

type Tree = ReturnType<typeof parser.parse>;
type Node = Tree['topNode'];

/** What an expression asks of one metric. */
export interface Selector {
  readonly metric: string;
  /** By label, what it must be: `=`, `=~` and so on, with the value. */
  readonly matchers: readonly { label: string; operator: string; value: string }[];
}

/** What an expression in PromQL names. */
export interface Named {
  readonly selectors: readonly Selector[];
  /** The labels by which something is aggregated, with the metrics within. */
  readonly groupings: readonly { label: string; metrics: readonly string[] }[];
}

/** Reads an expression, with the variables of Grafana in it; throws where it is none. */
export function readPromql(expression: string): Named {
  const text = expression.replaceAll('$__rate_interval', '5m').replaceAll(/\$\{?\w+\}?/g, '.+');
  const top = parser.parse(text).topNode;
  const all = (node: Node): Node[] => [node, ...childrenOf(node).flatMap(all)];
  const of = (node: Node, type: string) => all(node).filter(({ name }) => name === type);
  const textOf = ({ from, to }: Node) => text.slice(from, to);
  if (all(top).some(({ type }) => type.isError)) throw new Error(`No PromQL: ${expression}`);

  const selectorOf = (node: Node): Selector => ({
    metric: of(node, 'Identifier').map(textOf)[0] ?? '',
    matchers: of(node, 'UnquotedLabelMatcher').map((matcher) => {
      const [label = '', operator = '', value = ''] = childrenOf(matcher).map(textOf);
      return { label, operator, value: value.slice(1, -1) };
    }),
  });
  return {
    selectors: of(top, 'VectorSelector').map(selectorOf),
    groupings: of(top, 'AggregateExpr').flatMap((aggregate) => {
      const [modifier] = childrenOf(aggregate).filter(({ name }) => name === 'AggregateModifier');
      const metrics = of(aggregate, 'VectorSelector').map((node) => selectorOf(node).metric);
      const labels = modifier === undefined ? [] : of(modifier, 'LabelName').map(textOf);
      return labels.map((label) => ({ label, metrics }));
    }),
  };
}

function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}
