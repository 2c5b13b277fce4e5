import { invalid, type Refused } from './answers.ts';

/** The parameters of a request, those that are empty left out (RFC 6749, 3.2). */
export type Form = ReadonlyMap<string, string>;

/** What is asked about, without the blanks and line ends that pasting brings. */
export const tokenIn = (form: Form): string | undefined => form.get('token')?.trim() || undefined;

/** Parameters of other standards that may come more than once, and are not read (RFC 8707, 8693). */
const repeatable = new Set(['resource', 'audience']);

/** Reads the text of a form; undefined: there was none. */
export function readForm(text: string | undefined): Form | Refused {
  if (text === undefined) {
    return invalid('body', 'The parameters are sent as application/x-www-form-urlencoded.');
  }
  const form = new Map<string, string>();
  const empty: string[] = [];
  for (const [name, value] of new URLSearchParams(text)) {
    if (form.has(name) && !repeatable.has(name))
      return invalid('body', 'A parameter is sent more than once.');
    form.set(name, value);
    if (value === '') empty.push(name);
  }
  for (const name of empty) if (form.get(name) === '') form.delete(name);
  return form;
}
