import type { FastifyBaseLogger, FastifyRequest } from 'fastify';

/** The log of one request. It is made where something is said: most requests say nothing but that they ended. */
export const logOf = ({ log, id }: FastifyRequest): FastifyBaseLogger => log.child({ reqId: id });
