/** The two ways in which a POST of GraphQL is answered, as options of a gateway. */
export const graphqlWays = [
  { way: 'the short path', shortPath: true },
  { way: 'Yoga', shortPath: false },
] as const;
