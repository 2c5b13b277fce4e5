import {
  type GraphQLNamedType,
  type GraphQLObjectType,
  isEnumType,
  isInputObjectType,
  isIntrospectionType,
  isNonNullType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { buildSchema } from '../src/graphql/schema.ts';
import { creations } from './creations.ts';
import { withSixth } from './kinds.ts';

/** What the schema promises, whatever kinds it is made of. */

const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

test('schema.graphql is the schema that is served', async () => {
  const printed = `${printSchema(lexicographicSortSchema(buildSchema(credentials)))}\n`;
  await expect(printed).toMatchFileSnapshot('../schema.graphql');
});

test('the five mutations have their documented names and inputs', () => {
  const { mutations } = partsOf(credentials);
  const addressed = (name: string) =>
    Object.values(inputOf(mutations[name]).getFields())
      .filter(({ type }) => isNonNullType(type))
      .map((field) => `${field.name}: ${field.type}`);
  const documented = {
    revokeJwtAuth: ['identityId: ID!'],
    revokeToken: ['tokenId: ID!'],
    revokeApiKey: ['applicationId: ID!', 'keyId: ID!'],
    revokeServiceAccountToken: ['serviceAccountSlug: String!', 'tokenSlug: String!'],
    unassignJwkValidation: ['projectName: String!', 'username: String!'],
  };
  const found = Object.keys(documented).map((name) => [name, addressed(name)]);
  expect(Object.fromEntries(found)).toEqual(documented);
});

test('each mutation revokes one kind, or many, or has a case in test/creations.ts', () => {
  const revoking = credentials.map(({ graph }) => graph.mutation);
  const others = Object.keys(partsOf(credentials).mutations).filter(
    (name) => !revoking.includes(name),
  );
  expect(new Set(revoking).size).toBe(revoking.length);
  const cases = ['revokeMany', ...creations.map(({ mutation }) => mutation)];
  expect(others.toSorted()).toEqual(cases.toSorted());
});

for (const [name, kinds] of [
  ['the kinds of the project', credentials],
  ['a sixth kind beside them', withSixth],
] as const) {
  describe(`with ${name}`, () => {
    const { schema, types, mutations } = partsOf(kinds);

    test('everything has a description', () => {
      expect(types.flatMap(undescribed)).toEqual([]);
      expect(schema.getDirectives().filter(({ description }) => !description)).toEqual([]);
    });

    test.each(Object.keys(mutations))('%s takes one input', (mutation) => {
      const [input, ...others] = mutations[mutation]?.args ?? [];
      expect([input?.name, String(input?.type), others]).toEqual([
        'input',
        `${capitalized(mutation)}Input!`,
        [],
      ]);
    });

    test.each(Object.keys(mutations))('%s gives one success, or an error', (mutation) => {
      const field = mutations[mutation];
      expect(String(field?.type)).toBe(`${capitalized(mutation)}Result!`);
      const [success, ...errors] = membersOf(field);
      expect(success?.name).toBe(`${capitalized(mutation)}Success`);
      expect(errors.length).toBeGreaterThanOrEqual(2);
      for (const error of errors) expect(interfacesOf(error), error.name).toEqual(['Error']);
      expect(errors.map((error) => error.name)).toEqual(
        expect.arrayContaining(['UnauthenticatedError', 'InvalidInputError']),
      );
    });

    test.each(kinds.map(({ graph }) => graph.mutation))('%s says what was revoked', (mutation) => {
      const [success] = membersOf(mutations[mutation]);
      expect(success && interfacesOf(success)).toEqual(['RevocationSuccess']);
      const { reason, comment } = inputOf(mutations[mutation]).getFields();
      expect([String(reason?.type), String(comment?.type)]).toEqual(['RevocationReason', 'String']);
    });

    test('every code is that of one error, and every error can be met', () => {
      const codes = schema.getType('ErrorCode');
      if (!isEnumType(codes)) throw new Error('ErrorCode is no enum');
      const error = schema.getType('Error');
      const errors = types.filter(isObjectType).filter((type) => interfacesOf(type)[0] === 'Error');
      expect(error?.description).toBeTruthy();
      expect(errors.map(codeOf).toSorted()).toEqual(
        codes
          .getValues()
          .map((value) => value.name)
          .toSorted(),
      );
      const met = new Set(Object.values(mutations).flatMap(membersOf));
      expect(errors.filter((type) => !met.has(type))).toEqual([]);
    });
  });
}

test('a kind that is added brings its mutation and its own refusal', () => {
  const { schema, mutations } = partsOf(withSixth);
  expect(partsOf(credentials).mutations).not.toHaveProperty('revokeDeployToken');
  const own = withSixth.at(-1)?.graph.operation.refusals ?? [];
  const names = membersOf(mutations.revokeDeployToken).map((type) => type.name);
  for (const refusal of own) expect(names).toContain(`${refusal.name}Error`);
  const onlyHere = names.filter((type) => partsOf(credentials).schema.getType(type) === undefined);
  expect(onlyHere).toHaveLength(2);
  expect(onlyHere[0]).toBe('RevokeDeployTokenSuccess');
  expect(isObjectType(schema.getType(onlyHere[1] ?? ''))).toBe(true);
});

type Mutation = ReturnType<GraphQLObjectType['getFields']>[string];

function partsOf(kinds: typeof credentials) {
  const schema = buildSchema(kinds);
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
  );
  return { schema, types, mutations: schema.getMutationType()?.getFields() ?? {} };
}

/** The names of what has no description in a type, itself included. */
function undescribed(type: GraphQLNamedType): string[] {
  const parts: { path: string; description?: string | null | undefined }[] = [
    { path: type.name, description: type.description },
  ];
  const add = (path: string, { description }: { description?: string | null | undefined }) =>
    parts.push({ path, description });
  if (isEnumType(type)) {
    for (const value of type.getValues()) add(`${type.name}.${value.name}`, value);
  } else if ('getFields' in type) {
    for (const field of Object.values(type.getFields())) {
      add(`${type.name}.${field.name}`, field);
      for (const arg of 'args' in field ? field.args : []) {
        add(`${type.name}.${field.name}(${arg.name})`, arg);
      }
    }
  }
  return parts.filter(({ description }) => !description?.trim()).map(({ path }) => path);
}

function inputOf(mutation: Mutation | undefined) {
  const type = mutation?.args[0]?.type;
  const input = isNonNullType(type) ? type.ofType : type;
  if (!isInputObjectType(input)) throw new Error(`${mutation?.name} takes no input`);
  return input;
}

/** The members of a mutation's result, its success first. */
function membersOf(mutation: Mutation | undefined): GraphQLObjectType[] {
  const type = isNonNullType(mutation?.type) ? mutation.type.ofType : mutation?.type;
  if (!isUnionType(type)) throw new Error(`${mutation?.name} gives no union`);
  const isSuccess = ({ name }: GraphQLObjectType) => name.endsWith('Success');
  return type.getTypes().toSorted((a, b) => Number(isSuccess(b)) - Number(isSuccess(a)));
}

const interfacesOf = (type: GraphQLObjectType) => type.getInterfaces().map(({ name }) => name);

/** `NotFoundError` is `NOT_FOUND`. */
const codeOf = ({ name }: GraphQLObjectType) =>
  name
    .replace(/Error$/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, '_')
    .toUpperCase();
