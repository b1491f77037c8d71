// Takes what a promise rejects with as a value, so that a test can look at it.

/** What the promise rejects with; a promise that resolves is an error. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  const settled = await promise.then(
    (value) => ({ isRejected: false, value }) as const,
    (reason: unknown) => ({ isRejected: true, reason }) as const,
  );
  if (settled.isRejected) return settled.reason;
  throw new Error(`resolved with ${JSON.stringify(settled.value)} instead of rejecting`);
}
