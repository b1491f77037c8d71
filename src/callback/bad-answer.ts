// What is thrown at an answer that is no HTTP, or more of it than is read.
export class BadAnswer extends Error {
  readonly reason: "not_http" | "response_too_large";

  /** @param what completes "host …"; holds nothing of what was answered */
  constructor(reason: BadAnswer["reason"], what: string) {
    super(what);
    this.name = "BadAnswer";
    this.reason = reason;
  }
}
