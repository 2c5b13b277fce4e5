import type { AnyCredential } from '../credentials/kinds.ts';
import { howToRun } from '../how-to-run.ts';
import { capitalized } from './mutation.ts';

/** What GraphiQL is opened with, where there is something to try it on. */
export interface Examples {
  /** A token that may revoke. */
  readonly token: string;
  /** For each mutation an input that will work; a mutation without one is not shown. */
  readonly inputs: Readonly<Record<string, Record<string, string>>>;
}

/** What GraphiQL opens with, again after a reload, and again in each new tab. */
export function graphiqlOptions(credentials: readonly AnyCredential[], examples?: Examples) {
  const query = exampleOperations(credentials, examples);
  const headers = { Authorization: `Bearer ${examples?.token ?? '<token>'}` };
  const initialHeaders = JSON.stringify(headers, null, 2);
  return {
    title: 'Revocation gateway',
    ...{ query, defaultQuery: query },
    ...{ initialHeaders, headers: initialHeaders },
    // A demo's token may stay in the browser; any other may not.
    shouldPersistHeaders: examples !== undefined,
  };
}

/** A document with an operation for each mutation that revokes, between those that look around. */
export function exampleOperations(
  credentials: readonly AnyCredential[],
  examples?: Examples,
): string {
  const graphs = credentials.map(({ graph }) => graph);
  const shown = examples ? graphs.filter((graph) => examples.inputs[graph.mutation]) : graphs;
  return [
    examples ? ready : toFill,
    whoAmI,
    ...shown.map((graph) => mutation(graph, examples?.inputs[graph.mutation])),
    whatWasRevoked,
    whatIsRevoked,
  ].join('\n\n');
}

const ready = `# All of these work: press play, and choose one.
# "Headers", below, holds the token they run with.`;

const toFill = `# Put your own ids in place of every <…>, and your
# token in "Headers", below. To make a token:
#   ${howToRun('token --help')}
# Then press play, and choose an operation.`;

const whoAmI = `query WhoAmI {
  me {
    name
    organization
    permissions
  }
}`;

const whatWasRevoked = `query WhatWasRevoked {
  me {
    revocations(first: 5) {
      edges {
        node {
          kind
          target
          revokedAt
          reason
          actor
        }
      }
    }
  }
}`;

const whatIsRevoked = `subscription WhatIsRevoked {
  revocations {
    cursor
    revocation {
      kind
      target
      reason
      actor
    }
  }
}`;

function mutation(
  { mutation: name, input }: AnyCredential['graph'],
  given: Record<string, string> = {},
): string {
  const fields = Object.keys(input).map(
    (field) => `    ${field}: ${JSON.stringify(given[field] ?? `<${field}>`)}\n`,
  );
  return `mutation ${capitalized(name)} {
  ${name}(input: {
${fields.join('')}    reason: KEY_COMPROMISE
  }) {
    __typename
    ... on RevocationSuccess {
      revocation {
        id
        revokedAt
      }
    }
    ... on Error {
      code
      message
    }
  }
}`;
}
