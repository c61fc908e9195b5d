/** What a caller may do. A token carries their names, separated by spaces (RFC 8693, section 4.2). */
export const scopes = ['archivos:leer', 'solicitudes:admin', 'colas:admin'] as const;
export type Scope = (typeof scopes)[number];

export function isScope(word: unknown): word is Scope {
  return (scopes as readonly unknown[]).includes(word);
}

/** Whether the caller of a request may do this. */
export function hasScope({ scopes }: { readonly scopes: ReadonlySet<string> }, scope: Scope): boolean {
  return scopes.has(scope);
}

/** Who asks, and what that one may do. */
export interface Identity {
  /** The name under which solicitudes are kept and lines logged: a token's `sub`, or `anonimo`. */
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
}
