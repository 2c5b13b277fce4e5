/** What an answer that is one JSON can be called; the first, where a client takes both alike. */
const types = ['application/json', 'application/graphql-response+json'] as const;

/** Texts of clients whose types are kept; with one more, they are found anew. */
const ACCEPTS_MAX = 100;
/** The longest of them, in characters. */
const ACCEPT_CHARS_MAX = 200;

const kept = new Map<string, string | undefined>();

/** The type that a client accepts first of an answer that is one JSON, as Yoga finds it. */
export function acceptedType(accept = '*/*'): string | undefined {
  if (kept.has(accept)) return kept.get(accept);
  const type = findType(accept || '*/*');
  if (kept.size >= ACCEPTS_MAX) kept.clear();
  if (accept.length <= ACCEPT_CHARS_MAX) kept.set(accept, type);
  return type;
}

function findType(accept: string): string | undefined {
  for (const range of accept.replace(/\s/g, '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';');
    const charset = parameters.find((parameter) => parameter.includes('charset='));
    if (charset !== undefined && charset !== 'charset=utf-8') continue;
    const [kind, form] = name.split('/');
    const type = types.find((type) => {
      const [ofKind, ofForm] = type.split('/');
      return (kind === '*' || kind === ofKind) && (form === '*' || form === ofForm);
    });
    if (type !== undefined) return type;
  }
  return undefined;
}
