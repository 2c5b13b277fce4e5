/** The vendors' response bodies as JSON Schema, as their documents publish them. */

const infisicalError = (status: number, message: object, required: string[], details = false) => ({
  type: 'object',
  properties: {
    reqId: { type: 'string' },
    statusCode: { type: 'number', enum: [status] },
    message,
    ...(details ? { details: {} } : {}),
    error: { type: 'string' },
  },
  required,
  additionalProperties: false,
});

const text = { type: 'string' };
const all = ['reqId', 'statusCode', 'message', 'error'];

const infisicalErrors = {
  400: infisicalError(400, text, all, true),
  401: infisicalError(401, text, all),
  403: infisicalError(403, text, all, true),
  404: infisicalError(404, text, all),
  422: infisicalError(422, {}, ['reqId', 'statusCode', 'error']),
  500: infisicalError(500, text, all),
};

const jwtAuth = {
  type: 'object',
  properties: {
    identityJwtAuth: {
      type: 'object',
      properties: {
        id: { type: 'string', format: 'uuid' },
        accessTokenTTL: { type: 'number', default: 7200 },
        accessTokenMaxTTL: { type: 'number', default: 7200 },
        accessTokenNumUsesLimit: { type: 'number', default: 0 },
        accessTokenTrustedIps: {},
        identityId: { type: 'string', format: 'uuid' },
        configurationType: text,
        jwksUrl: text,
        boundIssuer: text,
        boundAudiences: text,
        boundClaims: {},
        boundSubject: text,
        createdAt: { type: 'string', format: 'date-time' },
        updatedAt: { type: 'string', format: 'date-time' },
        accessTokenPeriod: { type: 'number', default: 0 },
      },
      required: [
        ...['id', 'identityId', 'configurationType', 'jwksUrl', 'boundIssuer'],
        ...['boundAudiences', 'boundSubject', 'createdAt', 'updatedAt'],
      ],
      additionalProperties: false,
    },
  },
  required: ['identityJwtAuth'],
  additionalProperties: false,
};

const kadoseiError = (code: number, details = false) => ({
  type: 'object',
  properties: {
    error: text,
    message: text,
    code: { const: code },
    ...(details
      ? {
          details: {
            type: 'array',
            items: {
              type: 'object',
              properties: { field: text, message: text },
              required: ['field', 'message'],
              additionalProperties: false,
            },
          },
        }
      : {}),
  },
  required: ['error', 'message', 'code'],
  additionalProperties: false,
});

const problem = (status: number) => ({
  type: 'object',
  properties: {
    type: { type: 'string', format: 'uri' },
    title: text,
    status: { const: status },
    detail: text,
    instance: { type: 'string', format: 'uri-reference' },
    code: text,
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { message: text, location: text, value: {} },
        required: ['message', 'location'],
        additionalProperties: false,
      },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'instance', 'code'],
  additionalProperties: false,
});

const apinizerError = {
  type: 'object',
  properties: { error: text, error_description: text },
  required: ['error', 'error_description'],
  additionalProperties: false,
};

const deployment = {
  type: 'object',
  properties: {
    success: { const: true },
    deploymentResult: {
      type: 'object',
      properties: {
        success: { type: 'boolean' },
        message: text,
        environmentResults: {
          type: 'array',
          items: {
            type: 'object',
            properties: { environmentName: text, success: { type: 'boolean' }, message: text },
            required: ['environmentName', 'success', 'message'],
            additionalProperties: false,
          },
        },
      },
      required: ['success', 'message', 'environmentResults'],
      additionalProperties: false,
    },
  },
  required: ['success', 'deploymentResult'],
  additionalProperties: false,
};

const message = {
  type: 'object',
  properties: { message: text },
  required: ['message'],
  additionalProperties: false,
};

const empty = { type: 'object', additionalProperties: false };

/** Kind, then status. A status without a schema has a body that the vendor does not publish. */
export const wireSchemas: Record<string, Record<number, object>> = {
  'jwt-auth': { 200: jwtAuth, ...infisicalErrors },
  'access-token': { 200: message, ...infisicalErrors },
  'api-key': {
    200: empty,
    400: kadoseiError(400, true),
    401: kadoseiError(401),
    403: kadoseiError(403),
    404: kadoseiError(404),
    500: kadoseiError(500),
  },
  'service-account-token': Object.fromEntries(
    [400, 401, 403, 404, 500].map((status) => [status, problem(status)]),
  ),
  'jwk-validation': {
    200: deployment,
    ...Object.fromEntries([400, 401, 403, 404, 500].map((status) => [status, apinizerError])),
  },
};

/** The content type of each kind's successes and errors, to the letter. */
export const contentTypes: Record<string, { success: string | undefined; error: string }> = {
  'jwt-auth': {
    success: 'application/json; charset=utf-8',
    error: 'application/json; charset=utf-8',
  },
  'access-token': {
    success: 'application/json; charset=utf-8',
    error: 'application/json; charset=utf-8',
  },
  'api-key': { success: 'application/json', error: 'application/json' },
  'service-account-token': { success: undefined, error: 'application/problem+json' },
  'jwk-validation': { success: 'application/json', error: 'application/json' },
};
