"use strict";

// Shows the name of the API in the page's bar and title.
function showName(system) {
  const title = system.specSelectors.info().get("title");
  if (title) {
    document.title = title;
    document.getElementById("title").textContent = title;
  }
}

window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  // A token is a password: it is kept in this page's memory only and gone with it.
  persistAuthorization: false,
  tryItOutEnabled: true,
  // Nothing is asked of other hosts.
  validatorUrl: null,
  onComplete: () => showName(window.ui.getSystem()),
});
