import type { Reply } from '../rest/dialect.ts';
import type { JsonSchema } from '../rest/json-schema.ts';
import { type Header, headersNamed } from './headers.ts';
import type { Answer } from './operation.ts';

interface Content {
  readonly schema?: JsonSchema;
  readonly examples: Record<string, { readonly summary: string; readonly value: unknown }>;
}

/** An answer by its status, as OpenAPI has it. */
export interface Response {
  readonly description: string;
  readonly headers: Record<string, { $ref: string }>;
  readonly content?: Record<string, Content>;
}

/** The headers that some of these answers carry. */
export function headersIn(answers: readonly Answer[]): Record<string, Header> {
  const sent = answers.flatMap(({ reply }) => Object.keys(reply.headers));
  return headersNamed(['x-request-id', ...sent.filter((name) => name !== 'content-type')]);
}

/** The answers of an operation by their status. */
export function responsesOf(answers: readonly Answer[]): Record<string, Response> {
  const byStatus = Object.groupBy(answers, ({ reply }) => reply.status);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, alike = []]) => [status, responseOf(alike)]),
  );
}

function responseOf(answers: readonly Answer[]): Response {
  const withBody = answers.filter(({ reply }) => reply.body !== '');
  const byType = Object.groupBy(withBody, ({ reply }) => typeOf(reply));
  const content = Object.entries(byType).map(([type, alike = []]) => [
    type,
    contentOf(type, alike),
  ]);
  return {
    description: whatOf(answers),
    headers: referencesTo(headersIn(answers)),
    ...(content.length > 0 && { content: Object.fromEntries(content) }),
  };
}

/** Without its parameters. */
const typeOf = ({ headers: { 'content-type': type = '' } }: Reply) => type.split(';')[0] ?? '';

const referencesTo = (headers: Record<string, Header>): Response['headers'] =>
  Object.fromEntries(
    Object.keys(headers).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );

/** Answers that read alike are one example; the only one of its sort is called like that. */
function contentOf(type: string, answers: readonly Answer[]): Content {
  const schema = answers[0]?.schema;
  const byBody = Object.entries(Object.groupBy(answers, ({ reply }) => reply.body));
  const sorts = byBody.map(([, alike = []]) => sortOf(alike[0]));
  const examples = byBody.map(([body, alike = []], i) => {
    const isOnly = sorts.filter((sort) => sort === sorts[i]).length === 1;
    const value: unknown = /\bjson\b/.test(type) ? JSON.parse(body) : body;
    const summary = isOnly ? whatOf(alike) : (whenOf(alike) ?? whatOf(alike));
    return [isOnly ? sorts[i] : alike[0]?.name, { summary, value }];
  });
  return { ...(schema && { schema }), examples: Object.fromEntries(examples) };
}

/** The part of a name that answers of a sort share. */
const sortOf = (answer: Answer | undefined) => answer?.name.split('.')[0] ?? '';

const whatOf = (answers: readonly Answer[]) =>
  [...new Set(answers.map(({ what }) => what))].join(' ');

/** Exactly, where that is few words. */
function whenOf(answers: readonly Answer[]): string | undefined {
  const whens = new Set(answers.map(({ what, when }) => when ?? what));
  return whens.size > 3 ? undefined : [...whens].join(' ');
}
