/** The part of simple-oauth2 that the tests use; it has no types of its own. */
declare module 'simple-oauth2' {
  export interface AccessToken {
    readonly token: { readonly access_token: string; readonly expires_in: number };
    revoke(type: 'access_token'): Promise<unknown>;
  }

  export class ClientCredentials {
    constructor(config: {
      readonly client: { readonly id: string; readonly secret: string };
      readonly auth: {
        readonly tokenHost: string;
        readonly tokenPath: string;
        readonly revokePath: string;
      };
      readonly options?: { readonly authorizationMethod: 'header' | 'body' };
    });
    getToken(params: { readonly scope?: string }): Promise<AccessToken>;
    createToken(token: { readonly access_token: string }): AccessToken;
  }
}
