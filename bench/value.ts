import type { Executed, Scalar } from './record-hook.ts';

/** Where a value of a statement comes from. */
export type Value =
  | { readonly constant: Scalar }
  /** Of the request, or made for it: by its name. */
  | { readonly name: string }
  | { readonly text: readonly (string | { readonly name: string })[] }
  | { readonly now: true }
  /** Of the first row that an earlier step gave. */
  | { readonly step: number; readonly column: string };

/** What is known of a request when it is looked at what it executed. */
export interface Known {
  /** Texts and their names. Ids that turn out to be new are added. */
  readonly texts: Map<string, string>;
  /** What the answer says besides that only rows can tell. */
  readonly told: ReadonlyMap<string, string>;
  /** When it took place. */
  readonly fromMs: number;
  readonly toMs: number;
}

export const NEW_ID = 'newId';

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

interface Seen {
  readonly known: Known;
  /** What the steps before it gave. */
  readonly rows: readonly Executed['rows'][];
  /** Whether it is the same every time. */
  readonly constant: boolean;
}

/** Tells where a value comes from; undefined where nothing tells. */
export function originOf(value: Scalar, { known, rows, constant }: Seen): Value | undefined {
  if (typeof value === 'number') {
    if (value >= known.fromMs && value <= known.toMs) return { now: true };
    if (constant) return { constant: value };
    return ofRows(value, rows);
  }
  if (value === null) return { constant: value };
  const named = partsOf(value, known.texts);
  if (named !== undefined) return named;
  if (constant) return { constant: value };
  const origin = ofRows(value, rows);
  if (origin !== undefined) return origin;
  for (const [id] of value.matchAll(uuid)) {
    const made = [...known.texts.values()].filter((name) => name.startsWith(NEW_ID));
    known.texts.set(id, `${NEW_ID}${made.length}`);
  }
  return partsOf(value, known.texts);
}

/** A text with its parts that have names; undefined where none has. */
export function partsOf(value: string, texts: ReadonlyMap<string, string>): Value | undefined {
  const whole = texts.get(value);
  if (whole !== undefined) return { name: whole };
  let parts: (string | { readonly name: string })[] = [value];
  for (const [text, name] of texts) {
    parts = parts.flatMap((part) =>
      typeof part === 'string'
        ? part
            .split(text)
            .flatMap((piece, i) => (i === 0 ? [piece] : [{ name }, piece]))
            .filter((piece) => piece !== '')
        : [part],
    );
  }
  return parts.length > 1 ? { text: parts } : undefined;
}

function ofRows(value: Scalar, rows: readonly Executed['rows'][]): Value | undefined {
  for (const [step, [row = {}]] of [...rows.entries()].reverse()) {
    const column = Object.keys(row).find((name) => row[name] === value);
    if (column !== undefined) return { step, column };
  }
  return undefined;
}
