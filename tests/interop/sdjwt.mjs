// What @sd-jwt/sd-jwt-vc makes of our tokens, and tokens it makes for us. One JSON answer a call.
//   node sdjwt.mjs verify FILE   {token, issuer: JWK, alg, nonce, statusList, required}
//   node sdjwt.mjs issue FILE    {claims, frame, issuer: JWK with d, alg, kid, holder: JWK with d,
//                                 reveal, nonce, audience, at}
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';

const [, , what, file] = process.argv;
const asked = JSON.parse(readFileSync(file, 'utf8'));

const digest = (alg) => (alg === 'EdDSA' ? null : 'sha256');
const options = (key) => ({ key, dsaEncoding: 'ieee-p1363' });
const signerOf = (jwk, alg) => (data) =>
  sign(digest(alg), Buffer.from(data), options(createPrivateKey({ key: jwk, format: 'jwk' })))
    .toString('base64url');
const verifierOf = (jwk, alg) => (data, signature) =>
  verify(digest(alg), Buffer.from(data), options(createPublicKey({ key: jwk, format: 'jwk' })),
    Buffer.from(signature, 'base64url'));

const common = {
  hasher: (data, alg) => new Uint8Array(createHash(alg.replace('-', '')).update(data).digest()),
  hashAlg: 'sha-256',
  saltGenerator: (length) => randomBytes(length).toString('base64url'),
};

async function verifyOurs() {
  const alg = asked.alg;
  const kbKey = asked.holder;
  const instance = new SDJwtVcInstance({
    ...common,
    signAlg: alg,
    verifier: verifierOf(asked.issuer, alg),
    kbVerifier: kbKey && verifierOf(kbKey, kbKey.kty === 'OKP' ? 'EdDSA' : 'ES256'),
    statusListFetcher: async () => asked.statusList,
    statusValidator: async (status) => {
      if (status !== 0) throw new Error(`status ${status}`);
    },
    statusVerifier: verifierOf(asked.issuer, alg),
  });
  const result = await instance.verify(asked.token, asked.required ?? [], Boolean(asked.nonce));
  return { claims: result.payload, kb: result.kb && result.kb.payload };
}

async function issueTheirs() {
  const holderAlg = asked.holder && (asked.holder.kty === 'OKP' ? 'EdDSA' : 'ES256');
  const instance = new SDJwtVcInstance({
    ...common,
    signer: signerOf(asked.issuer, asked.alg),
    signAlg: asked.alg,
    kbSigner: asked.holder && signerOf(asked.holder, holderAlg),
    kbSignAlg: holderAlg,
  });
  const issued = await instance.issue(asked.claims, asked.frame, { header: { kid: asked.kid } });
  const presented = await instance.present(issued, asked.reveal, {
    kb: { payload: { iat: asked.at, nonce: asked.nonce, aud: asked.audience } },
  });
  return { issued, presented };
}

try {
  const answer = what === 'verify' ? await verifyOurs() : await issueTheirs();
  console.log(JSON.stringify({ ok: true, ...answer }));
} catch (error) {
  console.log(JSON.stringify({ ok: false, error: String(error.message ?? error) }));
}
