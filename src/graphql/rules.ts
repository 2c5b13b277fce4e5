import {
  NoSchemaIntrospectionCustomRule,
  type ParseOptions,
  specifiedRules,
  type ValidationRule,
} from 'graphql';
import type { Config } from '../config.ts';
import { revokeManyRule } from './revoke-many-rule.ts';

/** The longest document, in lexical tokens; beyond it the answer is 400. */
export const GRAPHQL_TOKENS_MAX = 5_000;

/** What every document is held against, on whichever path it came. */
export interface Rules {
  readonly parsing: ParseOptions;
  readonly validation: readonly ValidationRule[];
}

const rules = [...specifiedRules, revokeManyRule];

/** The rules of a profile: `production` has no introspection. */
export const rulesOf = (profile: Config['profile']): Rules => ({
  parsing: { maxTokens: GRAPHQL_TOKENS_MAX },
  validation: profile === 'development' ? rules : [...rules, NoSchemaIntrospectionCustomRule],
});
