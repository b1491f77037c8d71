// host:port, as URLs and addresses write it.

/** The port of an http or https URL, also where the URL leaves it out. */
export function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

/** `name:port`, also where the URL leaves the port out. */
export function hostAndPort(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}

/** An IPv6 host comes into brackets. */
export function joinHostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where a process that listens is reached from its own machine; a wildcard address is no destination. */
export function ownUrl({ host, port }: { readonly host: string; readonly port: number }): string {
  const isWildcard = host === "0.0.0.0" || host === "::";
  return `http://${joinHostAndPort(isWildcard ? "localhost" : host, port)}`;
}
