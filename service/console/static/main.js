// The console: reads its configuration, finishes a sign-in that comes back, and draws the parts of the page.

import { announce } from "./dom.js";
import { callTool } from "./mcp.js";
import { finishSignIn, isSignedOut, signIn, signOut } from "./oauth.js";
import { outcomeOf } from "./outcome.js";
import { state, union } from "./state.js";
import { take } from "./transaction.js";
import { renderAccount, renderIntroduction, renderNotice } from "./view_account.js";
import { renderConnect } from "./view_connect.js";
import { renderExpiry, renderIdentity } from "./view_identity.js";
import { renderOutcome } from "./view_outcome.js";
import { renderToken } from "./view_token.js";
import { renderForm, renderTools } from "./view_tools.js";

const actions = {
  signIn: () => leave(union(state.config.first_scopes)),
  signOut: () => guarded(endSession),
  stepUp: (scopes) => leave(union(scopes), { tool: state.tool }),
  signInAndCall: (scopes) => leave(union(scopes), { tool: state.tool, args: state.sent[state.tool], call: true }),
  again: () => call(state.tool, state.sent[state.tool]),
  choose,
  call,
};

function render() {
  renderAccount(actions);
  renderNotice();
  renderIntroduction(actions);
  renderIdentity(actions);
  renderTools(actions);
  renderForm(actions);
  renderOutcome(actions);
  renderToken();
}

function choose(tool) {
  Object.assign(state, { tool, outcome: null, answer: null });
  render();
}

async function call(tool, args) {
  if (state.busy) return;
  Object.assign(state, { busy: true, notice: null });
  state.sent[tool] = args;
  renderNotice();
  renderOutcome(actions);
  const answer = await callTool(state.config, state.session?.accessToken ?? null, tool, args);
  const outcome = outcomeOf(answer, state.session);
  Object.assign(state, { busy: false, answer, outcome });
  renderOutcome(actions);
  announce(`${outcome.title}. ${outcome.text ?? ""}`);
}

const callback = () => new URL(state.config.redirect_paths.console, state.config.resource).href;

function leave(scopes, resume = null) {
  return guarded(() => signIn(state.config, { scopes, redirectUri: callback(), resume }));
}

async function endSession() {
  const { idToken } = state.session;
  // The token goes first: whatever Keycloak says, this page is signed out.
  Object.assign(state, { session: null, outcome: null, answer: null });
  render();
  try {
    await signOut(state.config, { idToken, redirectUri: callback() });
  } catch (error) {
    throw new Error(`This page forgot its token, but the session at Keycloak may live on. ${error.message}`, { cause: error });
  }
}

/** Do something that may fail, and say so in words. */
async function guarded(work) {
  try {
    await work();
  } catch (error) {
    state.notice = { kind: "bad", text: error.message };
    render();
  }
}

/** Finish what this tab began at the authorization server; the address forgets the code at once. */
async function comeBack() {
  const answer = new URLSearchParams(location.search);
  const transaction = take();
  history.replaceState(null, "", "/");
  if (!answer.size) return;
  if (isSignedOut(transaction, answer)) {
    state.notice = { kind: "good", text: "You are signed out, here and at Keycloak. The token is refused from now on." };
    return;
  }
  state.session = await finishSignIn(state.config, transaction, answer);
  const { resume, scopes } = transaction;
  const lacks = scopes.filter((name) => !state.session.scopes.includes(name));
  if (lacks.length) state.notice = { kind: "bad", text: `Keycloak did not grant ${lacks.join(" ")}.` };
  if (state.config.tools.some((tool) => tool.name === resume?.tool)) state.tool = resume.tool;
  if (resume?.args) state.sent[state.tool] = resume.args;
  state.callNow = Boolean(resume?.call && !lacks.length);
}

async function loadConfig() {
  const answer = await fetch("/console/config.json", { credentials: "omit" }).catch(() => null);
  if (!answer?.ok) throw new Error("The service does not answer. Load this page again when it runs.");
  return answer.json();
}

async function start() {
  const failed = (error) => (state.notice = { kind: "bad", text: error.message });
  try {
    state.config = await loadConfig();
  } catch (error) {
    failed(error);
    return renderNotice();
  }
  state.tool = state.config.tools[0].name;
  const home = new URL(state.config.resource).origin;
  if (location.origin !== home) state.notice = { kind: "bad", text: "Keycloak knows this console by another address. Sign in at", link: `${home}/` };
  if (location.pathname === state.config.redirect_paths.console) await comeBack().catch(failed);
  document.getElementById("environment").textContent = state.config.environment;
  document.getElementById("version").textContent = state.config.version;
  render();
  renderConnect();
  if (state.callNow) await call(state.tool, state.sent[state.tool]);
  document.body.dataset.ready = "yes";
  setInterval(() => renderExpiry(actions), 1000);
}

start();
