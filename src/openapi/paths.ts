/** Where the description of the REST surface is, and the page to try it. */
export const OPENAPI_PATH = '/openapi.json';
export const API_PAGE_PATH = '/docs/api';
