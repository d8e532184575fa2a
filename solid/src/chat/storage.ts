/** Where the page keeps what a reload must not lose. */
export interface PageStorage {
  get(key: string): string | null;
  /** Whether it was kept. */
  set(key: string, text: string): boolean;
}

/** `storage`, which may be full or refuse at any time: then nothing is kept, and nothing else goes wrong. */
export function pageStorage(storage: Pick<Storage, "getItem" | "setItem"> | null): PageStorage {
  return {
    get(key) {
      try {
        return storage?.getItem(key) ?? null;
      } catch {
        return null;
      }
    },
    set(key, text) {
      try {
        storage?.setItem(key, text);
        return storage !== null;
      } catch {
        return false;
      }
    },
  };
}

/** Session storage, unless the browser refuses it. */
export function sessionStorageIfAny(): Storage | null {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}

/** Local storage, unless the browser refuses it. */
export function localStorageIfAny(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
