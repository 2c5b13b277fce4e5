/** The body where too much is asked: as of every request that is not carried out. */
export const tooManyRequests = (seconds: number): object => ({
  errors: [
    {
      message: `Too much is asked. Try again in ${seconds} s.`,
      extensions: { code: 'TOO_MANY_REQUESTS' },
    },
  ],
});
