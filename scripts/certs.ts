import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { runCommand, UsageError } from '../runtime/command-line.mjs';

const usage = `npm run certs -- [options] [NAME[=HOST,HOST…] …]
  Makes a private authority on the first run, and a certificate signed by it for each NAME, valid for its HOSTs: the host
  names or IP addresses that clients connect to. Default: gateway mserv1 mserv2 rabbitmq, each for localhost, 127.0.0.1, ::1.
  --dir DIR     folder for the files (default: data/certs)
  --days N      validity of the certificates in days (default: 365; the authority: ten years)
  --help
`;

const usualHosts = ['localhost', '127.0.0.1', '::1'];
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 24 * 60 * 60 * 1000;

interface Authority {
  readonly certificate: X509Certificate;
  readonly key: webcrypto.CryptoKey;
}

async function openAuthority(dir: string): Promise<Authority> {
  const [certFile, keyFile] = [join(dir, 'ca.pem'), join(dir, 'ca-key.pem')];
  try {
    const certificate = new X509Certificate(readFileSync(certFile, 'utf8'));
    const der = PemConverter.decodeFirst(readFileSync(keyFile, 'utf8'));
    return { certificate, key: await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']) };
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT') throw err;
  }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: 'CN=Archivero private authority',
    ...validity(3650),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writePair(dir, 'ca', certificate, keys.privateKey, 'wx');
  return { certificate, key: keys.privateKey };
}

async function certify(
  authority: Authority,
  {
    dir,
    days,
    name,
    hosts,
  }: {
    readonly dir: string;
    readonly days: number;
    readonly name: string;
    readonly hosts: readonly string[];
  },
): Promise<void> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${name}`,
    issuer: authority.certificate.subject,
    ...validity(days),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      // The gateway is a server to its clients, and a client to the services and to RabbitMQ.
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
      ),
    ],
  });
  await writePair(dir, name, certificate, keys.privateKey, 'w');
}

async function writePair(
  dir: string,
  name: string,
  certificate: X509Certificate,
  key: webcrypto.CryptoKey,
  flag: 'w' | 'wx',
): Promise<void> {
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  writeFileSync(join(dir, `${name}-key.pem`), `${PemConverter.encode(der, 'PRIVATE KEY')}\n`, {
    mode: 0o600,
    flag,
  });
  writeFileSync(join(dir, `${name}.pem`), `${certificate.toString('pem')}\n`, { flag });
}

function validity(days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  // Start five minutes ago: the clocks of other machines may be behind.
  const notBefore = new Date(Date.now() - 5 * 60 * 1000);
  return { notBefore, notAfter: new Date(notBefore.getTime() + days * dayMs) };
}

/** Returns a positive serial number, as RFC 5280, section 4.1.2.2, requires. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

function readOptions(values: { dir?: string; days?: string }, positionals: readonly string[]) {
  const names = positionals.length > 0 ? positionals : ['gateway', 'mserv1', 'mserv2', 'rabbitmq'];
  const wanted = names.map((word) => {
    const [name = '', hosts = ''] = word.split('=');
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(name) || name === 'ca')
      throw new UsageError(`${name}: not a valid file name`);
    const own = hosts.split(',').filter((host) => host !== '');
    const wrong = own.find((host) => isIP(host) === 0 && !/^[A-Za-z0-9*][A-Za-z0-9.-]*$/.test(host));
    if (wrong !== undefined) throw new UsageError(`${wrong}: not a valid host`);
    return { name, hosts: own.length > 0 ? own : usualHosts };
  });
  const days = Number(values.days ?? 365);
  if (!Number.isInteger(days) || days < 1 || days > 3650) throw new UsageError('--days: 1 to 3650');
  return { dir: resolve(values.dir ?? join('data', 'certs')), days, wanted };
}

const options = { dir: { type: 'string' }, days: { type: 'string' } } as const;
await runCommand({ usage, options, takesArguments: true }, async (values, positionals) => {
  const { dir, days, wanted } = readOptions(values, positionals);
  cryptoProvider.set(webcrypto as never);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const authority = await openAuthority(dir);
  for (const each of wanted) await certify(authority, { dir, days, ...each });
  const file = (name: string) => join(dir, name);
  console.log(`The certificates of ${wanted.map(({ name }) => name).join(', ')} are in ${dir}. Put into .env:

GATEWAY_TLS_CERT=${file('gateway.pem')}
GATEWAY_TLS_KEY=${file('gateway-key.pem')}
GRPC_TLS_CA=${file('ca.pem')}
GRPC_TLS_CERT=${file('gateway.pem')}
GRPC_TLS_KEY=${file('gateway-key.pem')}
MSERV1_TLS_CERT=${file('mserv1.pem')}
MSERV1_TLS_KEY=${file('mserv1-key.pem')}
MSERV1_TLS_CLIENT_CA=${file('ca.pem')}
MSERV2_TLS_CERT=${file('mserv2.pem')}
MSERV2_TLS_KEY=${file('mserv2-key.pem')}
MSERV2_TLS_CLIENT_CA=${file('ca.pem')}

In rabbitmq.conf, set ssl_options.cacertfile, .certfile and .keyfile to ca.pem, rabbitmq.pem and rabbitmq-key.pem; in .env:
RABBITMQ_URL=amqps://USER:PASSWORD@HOST:5671?heartbeat=5&cacertfile=${file('ca.pem')}

${file('ca-key.pem')} signs certificates that all of them trust: keep it private.`);
});
