/** One thing that happens in a terminal of a walk-through. */
export type Step =
  /** Typed, with what it prints; an empty output of a command in a terminal of its own may still come. */
  | { readonly kind: 'command'; readonly terminal: string; readonly command: string; readonly output: string }
  /** Ctrl-C. */
  | { readonly kind: 'interrupt'; readonly terminal: string }
  /** What a command that was typed before prints by now. */
  | { readonly kind: 'output'; readonly terminal: string; readonly output: string };

/** The terminal of a block that names none. */
export const mainTerminal = 'main';

/**
 * The steps of a Markdown page's `console` blocks: ```` ```console ```` for the reader's own terminal, and
 * ```` ```console mserv1 ```` for one with a name. `$ ` starts a command, `^C` alone is Ctrl-C, the rest is output.
 */
export function consoleSteps(markdown: string): readonly Step[] {
  return [...markdown.matchAll(/^```console(?: (\w+))?\n([\s\S]*?)^```$/gm)].flatMap(
    ([, name, text = '']) => {
      const terminal = name ?? mainTerminal;
      if (text === '^C\n') return [{ kind: 'interrupt', terminal }];
      if (!text.startsWith('$ ')) return [{ kind: 'output', terminal, output: text }];
      return text
        .slice(2)
        .split(/^\$ /m)
        .map((part): Step => {
          const end = part.indexOf('\n');
          return {
            kind: 'command',
            terminal,
            command: part.slice(0, end),
            output: part.slice(end + 1),
          };
        });
    },
  );
}
