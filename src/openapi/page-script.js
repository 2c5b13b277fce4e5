// Runs in the browser, behind the script of Swagger UI: the page has no other of its own.
const { token } = document.body.dataset;
const here = new URL('..', location.href);

const answer = await fetch(new URL('openapi.json', here));
const ui = SwaggerUIBundle({
  // Whatever it is called from outside, this page asks where it came from.
  spec: { ...(await answer.json()), servers: [{ url: here.href.replace(/\/$/, '') }] },
  dom_id: '#api',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  onComplete: () => token && ui.preauthorizeApiKey('bearer', token),
});
