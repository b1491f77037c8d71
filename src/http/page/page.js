// Starts Swagger UI on our document and signs what "Try it out" sends; key and secret live in this page's memory only.

const SIGNED_HEADERS = "signature";
const encoder = new TextEncoder();
const appKeyField = document.querySelector("#app-key");
const secretKeyField = document.querySelector("#secret-key");
const stateLine = document.querySelector("#signer-state");
const isAbleToSign = window.crypto.subtle !== undefined;

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
  displayRequestDuration: true,
  showExtensions: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  requestInterceptor: signRequest,
  responseInterceptor: takeAnswer,
});

appKeyField.addEventListener("input", showState);
secretKeyField.addEventListener("input", showState);
document.querySelector("#forget").addEventListener("click", () => useApplication("", ""));
showState();

async function signRequest(request) {
  const { appKey, secretKey } = credentials();
  if (!isAbleToSign || !appKey || !secretKey || !needsSignature(request)) return request;
  const url = new URL(request.url, window.location.href);
  const body = bodyText(request);
  if (body !== undefined) request.body = body;
  const bound = `${request.method.toUpperCase()} ${url.pathname}${url.search}\n${body ?? ""}`;
  const payload = hex(await crypto.subtle.digest("SHA-256", encoder.encode(bound)));
  const timestamps = String(Math.floor(Date.now() / 1000));
  const nonce = hex(crypto.getRandomValues(new Uint8Array(16)));
  const digest = await hmac(secretKey, timestamps + nonce + payload);
  const signature = btoa(hex(digest));
  Object.assign(request.headers, { app_key: appKey, nonce, timestamps, payload, signature });
  return request;
}

function needsSignature(request) {
  const { pathname, origin } = new URL(request.url, window.location.href);
  if (origin !== window.location.origin) return false;
  const operation = specification.paths[pathname]?.[request.method.toLowerCase()];
  return operation?.security?.some((scheme) => SIGNED_HEADERS in scheme) ?? false;
}

/** The exact text that will be sent: what is signed must not be written again differently. */
function bodyText(request) {
  const { body } = request;
  return body === undefined || typeof body === "string" ? body : JSON.stringify(body);
}

async function hmac(secret, message) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, [
    "sign",
  ]);
  return crypto.subtle.sign("HMAC", key, encoder.encode(message));
}

function hex(bytes) {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** An application that was just created here is what the next call wants to be signed with. */
function takeAnswer(response) {
  answerText = response.text;
  const created = response.obj?.data;
  if (created?.appKey && created.secretKey) useApplication(created.appKey, created.secretKey);
  return response;
}

function asItCame(_key, value, { source } = {}) {
  const isOther = typeof value === "number" && source !== undefined && source !== String(value);
  return isOther ? JSON.rawJSON(source) : value;
}

function useApplication(appKey, secretKey) {
  appKeyField.value = appKey;
  secretKeyField.value = secretKey;
  showState();
}

function credentials() {
  return { appKey: appKeyField.value.trim(), secretKey: secretKeyField.value.trim() };
}

function showState() {
  const { appKey, secretKey } = credentials();
  stateLine.className = "signer-state";
  if (!isAbleToSign) {
    stateLine.classList.add("is-blocked");
    stateLine.textContent =
      "This page cannot sign: browsers give pages on plain http no cryptography, except on localhost. Open it over https or as http://localhost, or put ready-made headers into Authorize.";
    return;
  }
  if (appKey && secretKey) {
    stateLine.classList.add("is-ready");
    stateLine.textContent = `Calls are signed as ${appKey}.`;
    return;
  }
  stateLine.textContent =
    "Calls are not signed: paste app_key and secret_key, or create an application below.";
}
