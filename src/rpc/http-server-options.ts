// What all HTTP servers of a node have in common.
import type { FastifyServerOptions } from 'fastify';

const refuseSchema = (): never => {
  throw new Error('no route has a schema');
};

/** No compilers of JSON schemas: they are 113 modules of the 1,700 that a node would load, and no route has a schema. */
export const WITHOUT_SCHEMAS = {
  schemaController: { compilersFactory: { buildValidator: refuseSchema, buildSerializer: refuseSchema } },
} as const satisfies FastifyServerOptions;
