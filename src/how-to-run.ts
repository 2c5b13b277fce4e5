/** What runs a command of the gateway: npm in a clone, and npx where the package, which is compiled, is installed. */
export const howToRun = (command: string): string =>
  import.meta.filename.endsWith('.ts')
    ? `npm run gateway -- ${command}`
    : `npx revocation-gateway ${command}`;
