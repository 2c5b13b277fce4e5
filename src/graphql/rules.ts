import {
  NoSchemaIntrospectionCustomRule,
  type ParseOptions,
  specifiedRules,
  type ValidationOptions,
  type ValidationRule,
} from 'graphql';
import type { Config } from '../config.ts';
import { revokeManyRule } from './revoke-many-rule.ts';

/** The longest document, in lexical tokens; beyond it the answer is 400. */
export const GRAPHQL_TOKENS_MAX = 5_000;

/** Errors of one document that are told; it is not looked for more. */
export const GRAPHQL_ERRORS_MAX = 5;

/** What every document is held against, on whichever path it came. */
export interface Rules {
  readonly parsing: ParseOptions;
  readonly validation: readonly ValidationRule[];
  readonly validating: ValidationOptions;
}

const rules = [...specifiedRules, revokeManyRule];

/** The rules of a profile: `production` has no introspection, and suggests no names. */
export const rulesOf = (profile: Config['profile']): Rules => ({
  parsing: { maxTokens: GRAPHQL_TOKENS_MAX },
  validation: profile === 'development' ? rules : [...rules, NoSchemaIntrospectionCustomRule],
  validating: { maxErrors: GRAPHQL_ERRORS_MAX, hideSuggestions: profile === 'production' },
});
