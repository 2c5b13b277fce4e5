import {
  type CompiledQuery,
  DefaultQueryExecutor,
  type Dialect,
  type DialectAdapter,
  Kysely,
  type KyselyProps,
  type LogEvent,
  type QueryCompiler,
  type QueryResult,
  Transaction,
} from 'kysely';
import type { Tables } from '../../db/tables.ts';

/** Runs a compiled query on a connection. */
export type Run = (query: CompiledQuery) => Promise<QueryResult<never>>;

/** Told of each query once it has run. */
export type QueryLog = (event: LogEvent) => void;

/** Kysely on a connection that is at hand: without a pool, a mutex and the awaits that they cost. */
export function directly(dialect: Dialect, run: Run): Kysely<Tables> {
  return new Kysely<Tables>(propsOf(dialect, run));
}

/** The same for a transaction, whose beginning and end are the caller's. */
export function transactionOn(dialect: Dialect, run: Run): Transaction<Tables> {
  return new Transaction<Tables>(propsOf(dialect, run));
}

function propsOf(dialect: Dialect, run: Run): KyselyProps {
  const [compiler, adapter] = [dialect.createQueryCompiler(), dialect.createAdapter()];
  const executor = new DirectExecutor(compiler, adapter, run);
  return { config: { dialect }, driver: dialect.createDriver(), dialect, executor };
}

class DirectExecutor extends DefaultQueryExecutor {
  readonly #run: Run;

  constructor(compiler: QueryCompiler, adapter: DialectAdapter, run: Run) {
    const connection = {
      executeQuery: run,
      streamQuery: () => {
        throw new Error('Rows are read in pages');
      },
    };
    super(compiler, adapter, { provideConnection: (consumer) => consumer(connection) });
    this.#run = run;
  }

  override executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#run(query);
  }
}

/** Tells the log of each query that runs. */
export function logged(run: Run, log: QueryLog | undefined): Run {
  if (log === undefined) return run;
  return async (query) => {
    const begun = performance.now();
    const result = await run(query);
    log({ level: 'query', query, queryDurationMillis: performance.now() - begun });
    return result;
  };
}
