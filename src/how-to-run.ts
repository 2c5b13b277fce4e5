/** What runs a command of the gateway: npm in a clone, and npx where it is installed as a package. */
export const howToRun = (command: string): string =>
  import.meta.url.includes('/node_modules/')
    ? `npx revocation-gateway ${command}`
    : `npm run gateway -- ${command}`;
