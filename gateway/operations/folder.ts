import * as z from 'zod';
import { base64 } from './parameters.ts';

/** The folder that is meant, as text or as the bytes of a name that is not UTF-8. Whether it is a good one, the service says. */
export const folderParameters = {
  ruta: z.string().optional(),
  ruta_b64: base64.optional(),
};

/** For a schema's `check`: at most one of both. */
export function oneFolder(
  ctx: z.core.ParsePayload<{ ruta?: string | undefined; ruta_b64?: Buffer | undefined }>,
): void {
  if (ctx.value.ruta === undefined || ctx.value.ruta_b64 === undefined) return;
  ctx.issues.push({
    code: 'custom',
    input: ctx.value,
    path: ['ruta_b64'],
    params: { motivo: 'incompatible-con', valores: { otro: 'ruta' } },
  });
}
