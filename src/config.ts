import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import type { Cidr } from './addresses.ts';
import { type RateLimits, rateLimitsOf, rateLimitsText } from './guard/rates.ts';
import { isPublicKey, RSA_BITS_MIN } from './public-keys.ts';
import { StartError } from './start-error.ts';

/** An issuer outside whose JWTs are accepted from callers. */
export type TrustedIssuer = z.infer<typeof trustedIssuer>;

/** The gateway's settings. */
export interface Config {
  port: number;
  host: string;
  publicUrl: string;
  databaseUrl: string;
  secretKeyFile: string;
  profile: 'development' | 'production';
  trustedIssuers: readonly TrustedIssuer[];
  outboundAllow: readonly Cidr[];
  trustedProxies: readonly Cidr[];
  /** Undefined: there are none. */
  rateLimits: RateLimits | undefined;
  effectBoundMs: number;
  metricsPort: number | undefined;
  metricsHost: string;
  otelExporterOtlpEndpoint: string | undefined;
  otelExporterOtlpProtocol: 'http/protobuf' | 'http/json';
  otelTracesSampler: (typeof traceSamplers)[number];
  otelTracesSamplerArg: number;
  otelSdkDisabled: boolean;
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
}

/** Signature algorithms that callers' JWTs may use: asymmetric ones alone. */
export const signatureAlgorithms = [
  ...['EdDSA', 'Ed25519', 'ES256', 'ES384', 'ES512'],
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
] as const;

/** Which traces are kept, by OpenTelemetry's names. */
export const traceSamplers = [
  ...['always_on', 'always_off', 'traceidratio'],
  ...['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'],
] as const;

const publicKey = z
  .looseObject({ kty: z.enum(['OKP', 'EC', 'RSA']) })
  .refine(isPublicKey, `must be a public JWK; an RSA key has at least ${RSA_BITS_MIN} bits`);

const trustedIssuer = z
  .strictObject({
    issuer: z.string().min(1),
    audience: z.string().min(1),
    jwksUrl: z.url({ protocol: /^https?$/ }).optional(),
    keys: z.array(publicKey).nonempty().optional(),
    algorithms: z.array(z.enum(signatureAlgorithms)).nonempty().optional(),
    claims: z
      .strictObject({
        organization: z.string().default('organization'),
        permissions: z.string().default('permissions'),
        subject: z.string().default('sub'),
      })
      .prefault({}),
    permissions: z.record(z.string(), z.array(z.string())).optional(),
    organizations: z.array(z.string()).nonempty().optional(),
  })
  .refine((value) => (value.jwksUrl === undefined) !== (value.keys === undefined), {
    message: 'give either jwksUrl or keys',
    // Whatever else is wrong with it.
    when: ({ value }) => typeof value === 'object' && value !== null,
  });

const trustedIssuers = z
  .array(trustedIssuer)
  .refine((list) => new Set(list.map(({ issuer }) => issuer)).size === list.length, {
    message: 'names an issuer twice',
  });

const cidr = z.string().transform((text, context): Cidr => {
  try {
    return ipaddr.parseCIDR(text.includes('/') ? text : hostRange(text));
  } catch {
    context.addIssue({ code: 'custom', message: `"${text}" is no CIDR, such as 10.0.0.0/8` });
    return z.NEVER;
  }
});

const hostRange = (address: string) =>
  `${address}/${ipaddr.parse(address).kind() === 'ipv4' ? 32 : 128}`;

const cidrs = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )
  .pipe(z.array(cidr));

const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue({ code: 'custom', message: 'is not JSON' });
    return z.NEVER;
  }
});

const portText = 'must be a whole number from 0 to 65535';
const portNumber = z.coerce.number(portText).int(portText).min(0, portText).max(65_535, portText);
const ratioText = 'must be a number from 0 to 1';

const settings = z.object({
  /** The port to listen on; 0 takes a free one. */
  PORT: portNumber.default(8080),
  /** The address to listen on. */
  HOST: z.string().min(1).default('127.0.0.1'),
  /** Where clients reach the gateway; the issuer of the tokens that it mints. */
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/[?#@]/.test(url), 'must be without user, query and fragment (RFC 8414)')
    .optional(),
  DATABASE_URL: z
    .string()
    .regex(
      /^(?:sqlite:.+|postgres(?:ql)?:\/\/.+)$/,
      'must be sqlite:FILE, sqlite::memory: or postgres://USER:PASSWORD@HOST/DATABASE',
    )
    .default('sqlite:data/gateway.db'),
  SECRET_KEY_FILE: z.string().min(1).default('data/secret.key'),
  PROFILE: z.enum(['development', 'production']).default('development'),
  TRUSTED_ISSUERS: json.pipe(trustedIssuers).default([]),
  OUTBOUND_ALLOW: cidrs,
  TRUSTED_PROXIES: cidrs,
  RATE_LIMITS: rateLimitsText.optional(),
  /** Within how long every target should have acknowledged a revocation: the published bound. */
  EFFECT_BOUND_MS: z.coerce
    .number('must be a whole number of milliseconds')
    .int('must be a whole number of milliseconds')
    .min(100, 'must be at least 100')
    .max(86_400_000, 'must be at most a day')
    .default(5_000),
  /** Where Prometheus reads metrics; without a port there are none. */
  METRICS_PORT: portNumber.optional(),
  METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  /** Where spans are sent; without it there are none. The names are OpenTelemetry's. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: z.enum(['http/protobuf', 'http/json']).default('http/protobuf'),
  OTEL_TRACES_SAMPLER: z.enum(traceSamplers).default('parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number(ratioText)
    .min(0, ratioText)
    .max(1, ratioText)
    .default(1),
  OTEL_SDK_DISABLED: z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(false),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

/** The name of every setting. */
export const settingNames = Object.keys(settings.shape);

/** Reads the settings, and throws one `StartError` that names every problem. */
export function readConfig(env: Record<string, string | undefined> = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name in settings.shape && value !== ''),
  );
  const { data, error } = settings.safeParse(given);
  const problems = (error?.issues ?? []).map(
    (issue) => `${issue.path.join('.')}: ${issue.message}`,
  );
  // Looked at whatever else is wrong, so that all problems are told at once.
  const { HOST, PROFILE = 'development' } = given;
  if (HOST !== undefined && PROFILE === 'development' && !isLoopback(HOST)) {
    problems.push(
      `HOST: ${HOST} can be reached from other machines, which PROFILE=development is too ` +
        'open for; set PROFILE=production',
    );
  }
  if (PROFILE === 'production' && data?.TRUSTED_ISSUERS.some(({ jwksUrl }) => isPlain(jwksUrl))) {
    problems.push('TRUSTED_ISSUERS: a jwksUrl must be https with PROFILE=production');
  }
  if (data === undefined || problems.length > 0) {
    throw new StartError(
      ['These settings are wrong (docs/configuration.md explains each):', ...problems].join('\n  '),
    );
  }
  return Object.freeze({
    port: data.PORT,
    // One address, so that there is one server to stop.
    host: data.HOST === 'localhost' ? '127.0.0.1' : data.HOST,
    publicUrl: (data.PUBLIC_URL ?? `http://localhost:${data.PORT}`).replace(/\/+$/, ''),
    databaseUrl: data.DATABASE_URL,
    secretKeyFile: data.SECRET_KEY_FILE,
    profile: data.PROFILE,
    trustedIssuers: data.TRUSTED_ISSUERS,
    outboundAllow: data.OUTBOUND_ALLOW,
    trustedProxies: data.TRUSTED_PROXIES,
    rateLimits: rateLimitsOf(data.RATE_LIMITS, data.PROFILE),
    effectBoundMs: data.EFFECT_BOUND_MS,
    metricsPort: data.METRICS_PORT,
    metricsHost: data.METRICS_HOST === 'localhost' ? '127.0.0.1' : data.METRICS_HOST,
    otelExporterOtlpEndpoint: data.OTEL_EXPORTER_OTLP_ENDPOINT,
    otelExporterOtlpProtocol: data.OTEL_EXPORTER_OTLP_PROTOCOL,
    otelTracesSampler: data.OTEL_TRACES_SAMPLER,
    otelTracesSamplerArg: data.OTEL_TRACES_SAMPLER_ARG,
    otelSdkDisabled: data.OTEL_SDK_DISABLED,
    logLevel: data.LOG_LEVEL,
  });
}

/** Whether somebody on the way could answer in its place. */
const isPlain = (url: string | undefined) => url?.startsWith('http:');

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
}
