/** What the tables of a database look like, how to empty them, and how large the largest is. */
export const SHAPE = `
  select
    md5(string_agg(concat_ws(' ', relname, attname, atttypid), ',' order by relname, attnum)) as shape,
    string_agg(distinct 'delete from ' || quote_ident(relname), '; ')
      filter (where relname !~ '^kysely') as emptying,
    max(pg_relation_size(pg_class.oid)) as largest
  from pg_class join pg_attribute on attrelid = pg_class.oid
  where relnamespace = 'public'::regnamespace and relkind = 'r'`;
