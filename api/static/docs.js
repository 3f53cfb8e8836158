// The API console, reading our own description; nothing is asked of any other server.
window.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#console',
  validatorUrl: 'none',
  deepLinking: true,
  docExpansion: 'list',
});
