// The API documentation: Swagger UI, with the console's own sign-in in place of its popup. So state, iss and nonce are
// checked here, too, and no other window may reach into this one.

import { h } from "./dom.js";
import { finishSignIn, signIn } from "./oauth.js";
import { take } from "./transaction.js";

const SCHEME = "OAuth2AuthorizationCodeBearer";

function notice(text) {
  document.getElementById("notice").replaceChildren(h("p", { class: "notice bad", role: "alert" }, text));
}

async function comeBack(config) {
  const answer = new URLSearchParams(location.search);
  const transaction = take();
  history.replaceState(null, "", "/docs");
  return answer.size ? finishSignIn(config, transaction, answer) : null;
}

/** Replaces Swagger UI's popup; the scopes are those that are ticked in its dialog. */
function ownSignIn(config) {
  const redirectUri = new URL(config.redirect_paths.docs, config.resource).href;
  const authPopup = (_url, { auth }) => () => {
    const ticked = [...(auth.scopes ?? [])].filter((name) => name in config.scopes);
    const scopes = ticked.length ? ticked : config.first_scopes;
    signIn(config, { scopes, redirectUri }).catch((error) => notice(error.message));
  };
  return { statePlugins: { auth: { actions: { authPopup } } } };
}

/** Gives names to what Swagger UI leaves without one: the cross that closes the dialog, the text of a request. */
const names = ({ React }) => ({
  wrapComponents: {
    TextArea: (Area) => (props) => React.createElement(Area, { "aria-label": "Request body", ...props }),
    CloseIcon: (Cross) => (props) =>
      React.createElement(React.Fragment, null, React.createElement("span", { className: "sr-only" }, "Close"), React.createElement(Cross, props)),
  },
});

/** Hand the token to Swagger UI, as its own sign-in would; it stays in its memory. */
function authorize(system, config, session) {
  const schema = system.specSelectors.securityDefinitions().get(SCHEME);
  system.authActions.authorizeOauth2({
    auth: { name: SCHEME, schema, clientId: config.client_id, scopes: session.scopes },
    token: { access_token: session.accessToken, token_type: session.tokenType, expires_in: session.lifetime },
  });
}

async function start() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", paint);
  paint();
  const config = await (await fetch("/console/config.json", { credentials: "omit" })).json();
  let session = null;
  if (location.pathname === config.redirect_paths.docs) {
    session = await comeBack(config).catch((error) => void notice(error.message));
  }
  const ui = globalThis.SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger",
    deepLinking: false, // its links would stand inside buttons
    validatorUrl: null,
    persistAuthorization: false,
    presets: [globalThis.SwaggerUIBundle.presets.apis],
    plugins: [() => ownSignIn(config), names],
    oauth2RedirectUrl: new URL(config.redirect_paths.docs, config.resource).href,
    onComplete: () => {
      if (session) authorize(ui.getSystem(), config, session);
      document.body.dataset.ready = "yes";
    },
  });
  ui.initOAuth({ clientId: config.client_id, scopes: config.first_scopes.join(" "), usePkceWithAuthorizationCodeGrant: true });
}

start().catch(() => notice("The service does not answer. Load this page again when it runs."));
