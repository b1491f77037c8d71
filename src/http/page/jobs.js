// Names the jobs that exist, asked for with the signature that the page makes.
import { signatureHeaders } from "./signing.js";

const PATH = "api/v1/jobs";

/** Fills `line` anew; without credentials it says how to see them. */
export async function showJobs(line, credentials) {
  line.replaceChildren(...(await partsOf(credentials)));
}

async function partsOf(credentials) {
  if (!credentials) return ["The jobs that tasks can name are shown here once calls are signed."];
  const url = new URL(PATH, window.location.href);
  const headers = signatureHeaders(credentials, { method: "GET", url });
  const response = await fetch(url, { headers }).catch(() => undefined);
  if (!response?.ok) return [refusal(response)];
  const { jobs } = await response.json();
  if (jobs.length === 0)
    return ["No executor has published a job: are there files in its JOBS_DIR?"];
  return [
    "Jobs: ",
    ...jobs.flatMap((job, place) => (place === 0 ? namesOf(job) : [", ", ...namesOf(job)])),
  ];
}

function refusal(response) {
  if (response === undefined) return "The jobs are not shown: the server did not answer.";
  return response.status === 401
    ? "The jobs are not shown: this appKey and secretKey are not accepted."
    : `The jobs are not shown: the server answered ${response.status}.`;
}

/** As text, whatever a job is called. */
function namesOf({ name, aliases, executors }) {
  const code = document.createElement("code");
  code.textContent = name;
  const more = aliases.length === 0 ? "" : ` (also ${aliases.join(", ")})`;
  return [code, more + (executors.length === 0 ? " (no executor has it now)" : "")];
}
