import * as z from 'zod';
import { base64 } from './parameters.ts';

/** The folder as text, or as bytes for a name that is not UTF-8. The service validates it. */
export const folderParameters = {
  ruta: z.string().optional(),
  ruta_b64: base64.optional(),
};

/** A schema check: refuses both parameters together. */
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
