/** The permissions of a caller. A token carries their names, separated by spaces (RFC 8693, section 4.2). */
export const scopes = ['archivos:leer', 'solicitudes:admin', 'colas:admin'] as const;
export type Scope = (typeof scopes)[number];

export function isScope(word: unknown): word is Scope {
  return (scopes as readonly unknown[]).includes(word);
}

/** Returns whether the caller of a request has a scope. */
export function hasScope({ scopes }: { readonly scopes: ReadonlySet<string> }, scope: Scope): boolean {
  return scopes.has(scope);
}

/** The caller and its scopes. */
export interface Identity {
  /** The owner's name in solicitudes and log lines: a token's `sub`, or `anonimo`. */
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
}
