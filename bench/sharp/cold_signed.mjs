// A cold start behind a CDN with signatures on: both secrets from Secrets Manager, side by side, then the proofs, then the picture.
import { createHmac, timingSafeEqual } from "node:crypto";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { answer } from "./handler.mjs";

const secrets = new SecretsManagerClient({});
const secret = async (id) => (await secrets.send(new GetSecretValueCommand({ SecretId: id }))).SecretString;
const same = (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

const { signed, signature, origin, originSecret, signingSecret, ...request } = JSON.parse(process.argv[2]);
const [cdn, signing] = await Promise.all([secret(originSecret), secret(signingSecret)]);
if (!same(origin, cdn)) throw new Error("not the CDN");
const key = JSON.parse(signing).SECRET_KEY;
if (!same(signature, createHmac("sha256", key).update(signed).digest("hex"))) throw new Error("SignatureDoesNotMatch");
console.log(JSON.stringify(await answer(request)));
