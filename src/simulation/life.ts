// One life of a node's process, from its start to its end. What its ports still carry after that goes nowhere: a process that was killed
// writes, sends and hears nothing more, though its promises are still about.

/** See the file's head. */
export class Life {
  #isAlive = true;

  get isAlive(): boolean {
    return this.#isAlive;
  }

  end(): void {
    this.#isAlive = false;
  }

  /** The value while the process lives, and nothing ever after. */
  async whileAlive<T>(value: Promise<T>): Promise<T> {
    try {
      const settled = await value;
      return this.#isAlive ? settled : await new Promise<T>(() => undefined);
    } catch (error) {
      if (!this.#isAlive) return new Promise<T>(() => undefined);
      throw error;
    }
  }
}
