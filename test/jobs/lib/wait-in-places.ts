// Waits for ever in two methods: at one await twice, at the other once.

class Waiter {
  async often(): Promise<void> {
    await never();
  }
  async once(): Promise<void> {
    await never();
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

export async function waitInPlaces(): Promise<void> {
  const waiter = new Waiter();
  await Promise.all([waiter.often(), waiter.often(), waiter.once()]);
}
