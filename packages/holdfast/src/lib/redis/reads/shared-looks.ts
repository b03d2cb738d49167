/**
 * Looks at one thing by many who wait for the same news of it. Who wants a look while one is under way
 * gets that one's result, unless there has been news since it was begun: that it may have missed.
 */
export class SharedLooks<Result> {
  readonly #underWay = new Map<
    string,
    { readonly news: number; readonly result: Promise<Result> }
  >();
  #news = 0;

  /** From here on nobody joins a look that was begun before. */
  heard(): void {
    this.#news += 1;
  }

  /** @param what names the look: the same for all who may share it */
  at(what: string, look: () => Promise<Result>): Promise<Result> {
    const other = this.#underWay.get(what);
    if (other !== undefined && other.news === this.#news) return other.result;
    const own = { news: this.#news, result: look() };
    this.#underWay.set(what, own);
    const over = () => {
      if (this.#underWay.get(what) === own) this.#underWay.delete(what);
    };
    own.result.then(over, over);
    return own.result;
  }
}
