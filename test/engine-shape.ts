/** What the tables of a database look like, and their names. */
export const SHAPE = `
  select
    md5(string_agg(concat_ws(' ', relname, attname, atttypid), ',' order by relname, attnum)) as shape,
    string_agg(distinct quote_ident(relname), ', ') filter (where relname !~ '^kysely') as tables
  from pg_class join pg_attribute on attrelid = pg_class.oid
  where relnamespace = 'public'::regnamespace and relkind = 'r'`;
