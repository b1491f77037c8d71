#!/usr/bin/env bash
# openapi-python-client: a schema that it cannot process is left out, but a model with a union of it still imports it.
# Expected of a valid document whose JobContent has two members of type object, `params` and `_params`: both members under
# names of their own, or an end with an error; at the least code that can be imported.
# Seen: "Attempted to generate duplicate models" is a warning, the exit code is 0 ("some pieces may be missing"), and the
# model that has a union with JobContent raises ModuleNotFoundError when it is used, whatever it is given.
# Exits 0 while that is so, 1 when it changes.
set -euo pipefail
version=0.29.1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet "openapi-python-client==$version"

cat >openapi.json <<'JSON'
{
  "openapi": "3.0.3",
  "info": { "title": "jobs", "version": "1" },
  "paths": {
    "/jobs": {
      "post": {
        "operationId": "createJob",
        "requestBody": {
          "required": true,
          "content": { "application/json": { "schema": { "$ref": "#/components/schemas/NewJob" } } }
        },
        "responses": { "204": { "description": "taken" } }
      }
    }
  },
  "components": {
    "schemas": {
      "NewJob": {
        "type": "object",
        "required": ["content"],
        "properties": {
          "content": { "anyOf": [{ "$ref": "#/components/schemas/JobContent" }, { "type": "string" }] }
        }
      },
      "JobContent": {
        "type": "object",
        "properties": {
          "params": { "type": "object", "additionalProperties": true },
          "_params": { "type": "object", "additionalProperties": true }
        }
      }
    }
  }
}
JSON
echo "openapi-python-client $version"
code=0
PATH=/usr/bin:/bin venv/bin/openapi-python-client generate --path openapi.json --meta none --output-path jobs >generated 2>&1 || code=$?
grep -A 3 "Unable to process" generated || true
echo "exit code $code"
ls jobs/models
used=$(venv/bin/python -c 'from jobs.models import NewJob; NewJob.from_dict({"content": "{}"})' 2>&1 | tail -n 1) || true
echo "$used"
[ "$code" = 0 ] || exit 1
[ "$used" = "ModuleNotFoundError: No module named 'jobs.models.job_content'" ] || exit 1
