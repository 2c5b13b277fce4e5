import { InvalidArgumentError } from 'commander';
import ms, { type StringValue } from 'ms';

/** A list with commas. */
export const list = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

const DURATION_MIN_MS = ms('1s');
const DURATION_MAX_MS = ms('100y');
/** A number and its unit: without one, nobody knows what was meant. */
const durationPattern = /^\d+(\.\d+)? ?[a-z]{1,12}$/i;

/** A duration such as `90s`, `15m`, `1h` or `30d`, in whole milliseconds. */
export function milliseconds(text: string): number {
  const value = durationPattern.test(text) ? ms(text as StringValue) : Number.NaN;
  if (!(value >= DURATION_MIN_MS && value <= DURATION_MAX_MS)) {
    throw new InvalidArgumentError(
      'It is a duration such as 90s, 15m, 1h or 30d, and lies between 1s and 100y.',
    );
  }
  return Math.round(value);
}

/** A whole number that is not less than the least. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
    }
    return value;
  };
