/** One step of a walk-through, in one of its terminals. */
export type ConsoleStep =
  /** Types a command; `output` is its expected output. In a named terminal an empty output may still follow. */
  | { readonly kind: 'command'; readonly terminal: string; readonly command: string; readonly output: string }
  /** Presses Ctrl-C. */
  | { readonly kind: 'interrupt'; readonly terminal: string }
  /** Expects this output by now from the command typed before. */
  | { readonly kind: 'output'; readonly terminal: string; readonly output: string };

/** Terminal of blocks without a name. */
export const mainTerminal = 'main';

/**
 * Returns the steps of a Markdown page's `console` blocks. ```` ```console ```` is the reader's main terminal,
 * ```` ```console mserv1 ```` a named one. `$ ` starts a command, `^C` alone is Ctrl-C, the rest is output.
 */
export function consoleSteps(markdown: string): readonly ConsoleStep[] {
  return [...markdown.matchAll(/^```console(?: (\w+))?\n([\s\S]*?)^```$/gm)].flatMap(
    ([, name, text = '']) => {
      const terminal = name ?? mainTerminal;
      if (text === '^C\n') return [{ kind: 'interrupt', terminal }];
      if (!text.startsWith('$ ')) return [{ kind: 'output', terminal, output: text }];
      return text
        .slice(2)
        .split(/^\$ /m)
        .map((part): ConsoleStep => {
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
