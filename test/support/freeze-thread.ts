// Stops this thread for a moment on purpose, so that messages pile up in front of it.

/** What was sent before leaves and is answered by the other side meanwhile, but nothing comes in here. */
export async function freezeThread(forMs: number): Promise<void> {
  // Senders may need some turns of microtasks to reach the socket.
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}
