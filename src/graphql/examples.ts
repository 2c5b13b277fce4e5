import type { AnyCredential } from '../credentials/kinds.ts';
import { capitalized } from './mutation.ts';

/** What GraphiQL is opened with, where there is something to try it on. */
export interface Examples {
  /** A token that may revoke. */
  readonly token: string;
  /** For each mutation an input that will work. */
  readonly inputs: Readonly<Record<string, Record<string, string>>>;
}

/** A document with one operation for each mutation that revokes, and one that looks around. */
export function exampleOperations(
  credentials: readonly AnyCredential[],
  examples?: Examples,
): string {
  return [header, look, ...credentials.map(({ graph }) => mutation(graph, examples))].join('\n\n');
}

const header = `# Everything here can be run: choose an operation beside the play button.
# The token that they run with is under "Headers", below.`;

const look = `query WhoAmI {
  me {
    name
    organization
    permissions
    revocations(first: 5) {
      edges {
        node {
          kind
          target
          revokedAt
          actor
        }
      }
    }
  }
}`;

function mutation({ mutation: name, input }: AnyCredential['graph'], examples?: Examples): string {
  const given = examples?.inputs[name] ?? {};
  const fields = Object.keys(input).map(
    (field) => `${field}: ${JSON.stringify(given[field] ?? `<${field}>`)}`,
  );
  return `mutation ${capitalized(name)} {
  ${name}(input: { ${fields.join(', ')}, reason: KEY_COMPROMISE }) {
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
