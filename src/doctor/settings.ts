import ipaddr from 'ipaddr.js';
import { type Cidr, isWithin } from '../addresses.ts';
import type { Config } from '../config.ts';
import { type Finding, ok, orOk, problem, warning } from './finding.ts';

/** Whether settings that can be read are sane together. */
export const checkSettings = (config: Config): Finding[] => [
  ...checkPublicUrl(config),
  ...checkProxies(config),
  ...checkOutbound(config),
];

function checkPublicUrl({ publicUrl, profile }: Config): Finding[] {
  const check = 'PUBLIC_URL';
  const { protocol, hostname } = new URL(publicUrl);
  const isLocal = hostname === 'localhost' || isLoopback(hostname);
  if (profile === 'development') {
    if (isLocal) return [ok(check, `${publicUrl}, PROFILE=development`)];
    const remedy = 'set PROFILE=production';
    return [warning(check, `${publicUrl} is no address of this machine alone`, remedy)];
  }
  if (protocol !== 'https:') {
    const what = `${publicUrl} is not https: tokens and secrets can be read on their way`;
    return [
      problem(check, what, 'have a proxy serve it through https, and set PUBLIC_URL to that'),
    ];
  }
  if (isLocal) {
    const what = `${publicUrl} leads every client to itself: it is the issuer of all tokens`;
    return [problem(check, what, 'set PUBLIC_URL to the address that clients use')];
  }
  return [ok(check, `${publicUrl}, PROFILE=production`)];
}

const isLoopback = (hostname: string): boolean => {
  const address = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
};

/** A range with fewer bits has more addresses than anybody's proxies have. */
const leastBits = { ipv4: 8, ipv6: 16 };

const isEverything = ([, bits]: Cidr) => bits === 0;
const isWide = ([address, bits]: Cidr) => bits < leastBits[address.kind()];
const text = ([address, bits]: Cidr) => `${address}/${bits}`;

function checkProxies({ trustedProxies, profile, host }: Config): Finding[] {
  const check = 'TRUSTED_PROXIES';
  const remedy = 'name the addresses of your own proxies alone';
  const wrong = trustedProxies.filter(isWide).map((range) => {
    const what = `${text(range)}: whoever comes from there says themselves from which address they come`;
    return isEverything(range) ? problem(check, what, remedy) : warning(check, what, remedy);
  });
  if (profile === 'production' && isLoopback(host) && trustedProxies.length === 0) {
    const what = `every client seems to come from this machine, since HOST is ${host}`;
    wrong.push(warning(check, what, 'set it to the address of the proxy, such as 127.0.0.1'));
  }
  return orOk(check, wrong, trustedProxies.map(text).join(', ') || 'none');
}

/** Where the machines of clouds ask who they are, and get credentials. */
const METADATA = '169.254.169.254';

function checkOutbound({ outboundAllow, profile }: Config): Finding[] {
  const check = 'OUTBOUND_ALLOW';
  const remedy = 'name the networks of your own receivers and issuers alone';
  const wrong = outboundAllow.filter(isWide).map((range) => {
    const what = `${text(range)}: whoever makes a webhook can have the gateway call nearly anything inside`;
    return isEverything(range) ? problem(check, what, remedy) : warning(check, what, remedy);
  });
  if (wrong.length === 0 && isWithin(METADATA, outboundAllow)) {
    const what = `has ${METADATA}, where clouds hand out credentials of this machine`;
    wrong.push(warning(check, what, remedy));
  }
  if (wrong.length === 0 && profile === 'production' && isWithin('127.0.0.1', outboundAllow)) {
    wrong.push(warning(check, 'has this machine itself, with all that listens here', remedy));
  }
  return orOk(check, wrong, outboundAllow.map(text).join(', ') || 'none');
}
