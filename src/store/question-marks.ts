// The places of rows for databases that take `?`.
import type { Dialect } from "./dialect.ts";

/** `now` is the SQL of the database's clock. */
export function questionMarkRows(now: string): Dialect["rowPlaces"] {
  const places = { value: "?", "value or now": `coalesce(?, ${now})`, now };
  return (sources, rows) => {
    const row = `(${sources.map((source) => places[source]).join(", ")})`;
    return Array.from({ length: rows }, () => row).join(", ");
  };
}
