import { faults, type UpstreamFault } from '../../../relay/errors.ts';
import type { Timeouts } from '../../../relay/relay.ts';

/** What an error of undici or of a socket means. */
export function faultOf(error: Error, timeouts: Timeouts): UpstreamFault {
  const code = String((error as { code?: unknown }).code ?? '');
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return faults.connectTimeout(timeouts.connect, error);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return faults.unresolved(error);
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return faults.unreachable(error);
    case 'UND_ERR_HEADERS_OVERFLOW':
      return faults.headersTooLarge(error);
    case 'UND_ERR_INVALID_ARG':
      return faults.unsendable(error);
    default:
      return isCertificateFault(code) ? faults.certificate(error) : faults.noAnswer(error);
  }
}

/** OpenSSL's verification errors, as Node names them, and those of the host name check. */
function isCertificateFault(code: string): boolean {
  return (
    code === 'ERR_TLS_CERT_ALTNAME_INVALID' ||
    code.includes('CERT') ||
    code === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
  );
}
