// @ts-check
// Whether the server in this container can serve requests: Docker's HEALTHCHECK. The image has no curl.
import { request as http } from 'node:http';
import { request as https } from 'node:https';

const { API_HOST = '', API_PORT = '8000', API_TLS_CERT_FILE } = process.env;
const host = ['', 'localhost', '0.0.0.0', '::'].includes(API_HOST) ? '127.0.0.1' : API_HOST;
const address = { host, port: API_PORT, path: '/health/ready', timeout: 2_500 };
const asked = API_TLS_CERT_FILE
  ? // Its own server, in the same container: the certificate is for the name that others use.
    https({ ...address, rejectUnauthorized: false })
  : http(address);
asked.on('response', ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1));
asked.on('timeout', () => process.exit(1));
asked.on('error', () => process.exit(1));
asked.end();
