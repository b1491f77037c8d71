// Starts Swagger UI on our document and signs what "Try it out" sends; key and secret live in this page's memory only.
import { showJobs } from "./jobs.js";
import { findOperation, needsSignature, readCredentials, signatureHeaders } from "./signing.js";

const box = document.querySelector("#application");
const stateLine = document.querySelector("#signer-state");
const jobsLine = document.querySelector("#jobs");

let answerText;
const parse = JSON.parse;
// Swagger UI parses an answer once more to show it, and would show numbers as doubles: 9007199254740993 as …992.
JSON.parse = (text, reviver) =>
  reviver === undefined && text === answerText ? parse(text, asItCame) : parse(text, reviver);

const specification = await (await fetch("swagger/json")).json();

window.SwaggerUIBundle({
  spec: specification,
  dom_id: "#swagger-ui",
  deepLinking: true,
  // The names of all schemas would be most of the page.
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  showExtensions: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  requestInterceptor: signRequest,
  responseInterceptor: takeAnswer,
});

box.addEventListener("input", showState);
// Not while something is typed: every wrong secret would be a refused call.
box.addEventListener("change", nameJobs);
window.addEventListener("focus", nameJobs);
document.querySelector("#forget").addEventListener("click", () => fill(""));
showState();
nameJobs();

function signRequest(request) {
  const credentials = readCredentials(box.value);
  const { method, headers } = request;
  const call = callOf(request.url, method);
  if (!credentials || !call) return request;
  if (!needsSignature(call, { appKey: credentials.appKey, headers })) return request;
  const body = bodyText(request);
  if (body !== undefined) request.body = body;
  Object.assign(headers, signatureHeaders(credentials, { method, url: call.url, body }));
  return request;
}

/** The operation of ours that is called; undefined for what is elsewhere or not in the document. */
function callOf(address, method) {
  const url = new URL(address, window.location.href);
  if (url.origin !== window.location.origin) return undefined;
  const found = findOperation(specification.paths, { method, url });
  return found && { ...found, url };
}

/** The exact text that will be sent: what is signed must not be written again differently. */
function bodyText({ body }) {
  return body === undefined || typeof body === "string" ? body : JSON.stringify(body);
}

/** An application that was just created here, or got new secrets, is what the next call wants to be signed with. */
function takeAnswer(response) {
  answerText = response.text;
  const answer = response.obj;
  const created = answer?.data;
  if (created?.appKey && created.secretKey) fill(`${created.appKey} ${created.secretKey}`);
  else if (answer?.secretKey) takeRotated(response.url, answer.secretKey);
  return response;
}

/** Another application's new secret stands in its answer and must not drive out what is in the box. */
function takeRotated(address, secretKey) {
  const appKey = callOf(address, "post")?.params.app_key;
  const inUse = readCredentials(box.value)?.appKey;
  if (appKey && (inUse === undefined || inUse === appKey)) fill(`${appKey} ${secretKey}`);
}

function asItCame(_key, value, { source } = {}) {
  const isOther = typeof value === "number" && source !== undefined && source !== String(value);
  return isOther ? JSON.rawJSON(source) : value;
}

function fill(text) {
  box.value = text;
  showState();
  nameJobs();
}

function nameJobs() {
  return showJobs(jobsLine, readCredentials(box.value));
}

function showState() {
  const credentials = readCredentials(box.value);
  const isWrong = !credentials && box.value.trim() !== "";
  stateLine.className = "signer-state";
  stateLine.classList.toggle("is-ready", credentials !== undefined);
  stateLine.classList.toggle("is-wrong", isWrong);
  stateLine.textContent = stateOf(credentials, isWrong);
}

function stateOf(credentials, isWrong) {
  if (credentials) return `Calls are signed as ${credentials.appKey}.`;
  return isWrong
    ? "Calls are not signed. Both are needed: appKey and secretKey with a space between, or the whole answer of /application/create."
    : "Calls are not signed: paste appKey and secretKey, or create an application below.";
}
