import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteLedger } from '../../gateway/solicitudes/sqlite/sqlite-ledger.ts';
import { ledgerContract } from '../support/ledger-contract.ts';

ledgerContract(
  'A SQLite file',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'archivero-ledger-'));
    return {
      open: (bounds) => openSqliteLedger({ path: join(folder, 'solicitudes.db'), ...bounds }),
      remove: () => rm(folder, { recursive: true }),
    };
  },
  6,
);
